package llbconv_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// keyedField is a field of an operation: what it shows as in the plan when it
// changes, or why it cannot be the reason that a step runs again.
type keyedField struct {
	never string // why not
	// from and to are a Dockerfile's last instructions that differ in the field, each
	// behind the options of the build that it is given with, as "KEY=VALUE|…|TEXT".
	from, to string
	input    string // kind and name of the input that changes
	origin   cachepolicy.OriginKind
}

const (
	line    = cachepolicy.OriginLine
	option  = cachepolicy.OriginOption
	byArg   = cachepolicy.OriginBuildArg
	follows = "it says which input is meant; the plan has inputs as files and as what a step follows"
	always  = "it is the same in every build"
	notUsed = "the converter does not use it"
)

// keyedFields are the fields of operations that make steps.
var keyedFields = map[string]keyedField{
	"exec.meta.args":                      {from: "RUN a", to: "RUN b", input: "command RUN", origin: line},
	"exec.meta.env":                       {from: "ENV A=1\nRUN a", to: "ENV A=2\nRUN a", input: "env A", origin: line},
	"exec.meta.cwd":                       {from: "WORKDIR /a\nRUN a", to: "WORKDIR /b\nRUN a", input: "workdir workdir", origin: line},
	"exec.meta.user":                      {from: "USER a\nRUN a", to: "USER b\nRUN a", input: "user user", origin: line},
	"exec.meta.proxy_env":                 {never: "BuildKit leaves proxies out of the key"},
	"exec.meta.extraHosts.Host":           {from: "add-hosts=a=1.2.3.4|RUN a", to: "add-hosts=a=1.2.3.4,b=1.2.3.4|RUN a", input: "option add-host b", origin: option},
	"exec.meta.extraHosts.IP":             {never: "BuildKit leaves the addresses out of the key"},
	"exec.meta.hostname":                  {from: "hostname=a|RUN a", to: "hostname=b|RUN a", input: "option hostname", origin: option},
	"exec.meta.ulimit.Name":               {from: "ulimit=nofile=1:2|RUN a", to: "ulimit=nproc=1:2|RUN a", input: "option ulimit nproc", origin: option},
	"exec.meta.ulimit.Soft":               {from: "ulimit=nofile=1:9|RUN a", to: "ulimit=nofile=2:9|RUN a", input: "option ulimit nofile", origin: option},
	"exec.meta.ulimit.Hard":               {from: "ulimit=nofile=1:9|RUN a", to: "ulimit=nofile=1:8|RUN a", input: "option ulimit nofile", origin: option},
	"exec.meta.cgroupParent":              {from: "cgroup-parent=a|RUN a", to: "cgroup-parent=b|RUN a", input: "option cgroup-parent", origin: option},
	"exec.meta.removeMountStubsRecursive": {never: always},
	"exec.meta.validExitCodes":            {never: notUsed},
	"exec.mounts.input":                   {never: follows},
	"exec.mounts.selector":                {from: "RUN --mount=target=/m,source=a a", to: "RUN --mount=target=/m,source=b a", input: "mount /m", origin: line},
	"exec.mounts.dest":                    {from: "ARG T=/a\nRUN --mount=type=tmpfs,target=$T a", to: "ARG T=/b\nRUN --mount=type=tmpfs,target=$T a", input: "mount /b", origin: line},
	"exec.mounts.output":                  {never: "it says that what is written is dropped, which the mount's input says"},
	"exec.mounts.readonly":                {from: "RUN --mount=target=/m,rw a", to: "RUN --mount=target=/m a", input: "mount /m", origin: line},
	"exec.mounts.mountType":               {from: "RUN --mount=type=tmpfs,target=/m a", to: "RUN --mount=type=cache,target=/m a", input: "mount /m", origin: line},
	"exec.mounts.TmpfsOpt.size":           {from: "shm-size=100|RUN a", to: "shm-size=200|RUN a", input: "option shm-size", origin: option},
	"exec.mounts.cacheOpt.ID":             {from: "RUN --mount=type=cache,target=/m a", to: "RUN --mount=type=cache,target=/m,id=x a", input: "mount /m", origin: line},
	"exec.mounts.cacheOpt.sharing":        {from: "RUN --mount=type=cache,target=/m a", to: "RUN --mount=type=cache,target=/m,sharing=locked a", input: "mount /m", origin: line},
	"exec.mounts.secretOpt.ID":            {from: "RUN --mount=type=secret,id=a,target=/s a", to: "RUN --mount=type=secret,id=b,target=/s a", input: "secret b", origin: line},
	"exec.mounts.secretOpt.uid":           {from: "RUN --mount=type=secret,id=a,uid=1 a", to: "RUN --mount=type=secret,id=a,uid=2 a", input: "secret a", origin: line},
	"exec.mounts.secretOpt.gid":           {from: "RUN --mount=type=secret,id=a,gid=1 a", to: "RUN --mount=type=secret,id=a,gid=2 a", input: "secret a", origin: line},
	"exec.mounts.secretOpt.mode":          {from: "RUN --mount=type=secret,id=a,mode=0400 a", to: "RUN --mount=type=secret,id=a,mode=0440 a", input: "secret a", origin: line},
	"exec.mounts.secretOpt.optional":      {from: "RUN --mount=type=secret,id=a a", to: "RUN --mount=type=secret,id=a,required a", input: "secret a", origin: line},
	"exec.mounts.SSHOpt.ID":               {from: "RUN --mount=type=ssh,id=a a", to: "RUN --mount=type=ssh,id=b a", input: "ssh b", origin: line},
	"exec.mounts.SSHOpt.uid":              {from: "RUN --mount=type=ssh,uid=1 a", to: "RUN --mount=type=ssh,uid=2 a", input: "ssh default", origin: line},
	"exec.mounts.SSHOpt.gid":              {from: "RUN --mount=type=ssh,gid=1 a", to: "RUN --mount=type=ssh,gid=2 a", input: "ssh default", origin: line},
	"exec.mounts.SSHOpt.mode":             {from: "RUN --mount=type=ssh,mode=0600 a", to: "RUN --mount=type=ssh,mode=0660 a", input: "ssh default", origin: line},
	"exec.mounts.SSHOpt.optional":         {from: "RUN --mount=type=ssh a", to: "RUN --mount=type=ssh,required a", input: "ssh default", origin: line},
	"exec.mounts.resultID":                {never: notUsed},
	"exec.mounts.contentCache":            {never: "it is the rule base=content, which the plan has as such"},
	"exec.network":                        {from: "force-network-mode=host|RUN a", to: "force-network-mode=none|RUN a", input: "option network", origin: option},
	"exec.security":                       {from: "RUN --security=sandbox a", to: "RUN --security=insecure a", input: "option security", origin: line},
	"exec.secretenv.ID":                   {from: "RUN --mount=type=secret,id=a,env=E a", to: "RUN --mount=type=secret,id=b,env=E a", input: "secret b", origin: line},
	"exec.secretenv.name":                 {from: "RUN --mount=type=secret,id=a,env=E a", to: "RUN --mount=type=secret,id=a,env=F a", input: "secret a", origin: line},
	"exec.secretenv.optional":             {from: "RUN --mount=type=secret,id=a,env=E a", to: "RUN --mount=type=secret,id=a,env=E,required a", input: "secret a", origin: line},
	"exec.cdiDevices.name":                {from: "RUN --device=a.b/c=d a", to: "RUN --device=a.b/c=e a", input: "option device a.b/c=e", origin: line},
	"exec.cdiDevices.optional":            {from: "RUN --device=a.b/c=d a", to: "RUN --device=a.b/c=d,required a", input: "option device a.b/c=d", origin: line},

	"file.actions.input":                                 {never: follows},
	"file.actions.secondaryInput":                        {never: follows},
	"file.actions.output":                                {never: always},
	"file.actions.copy.src":                              {from: "COPY a /x", to: "COPY b /x", input: "command COPY", origin: line},
	"file.actions.copy.dest":                             {from: "WORKDIR /a\nCOPY a .", to: "WORKDIR /b\nCOPY a .", input: "workdir workdir", origin: line},
	"file.actions.copy.owner.user.byName.name":           {from: "COPY --chown=a a /x", to: "COPY --chown=b a /x", input: "command COPY", origin: line},
	"file.actions.copy.owner.user.byName.input":          {never: follows},
	"file.actions.copy.owner.user.byID":                  {from: "COPY --chown=1 a /x", to: "COPY --chown=2 a /x", input: "command COPY", origin: line},
	"file.actions.copy.owner.group.byName.name":          {from: "COPY --chown=1:a a /x", to: "COPY --chown=1:b a /x", input: "command COPY", origin: line},
	"file.actions.copy.owner.group.byName.input":         {never: follows},
	"file.actions.copy.owner.group.byID":                 {from: "build-arg:G=1|ARG G\nCOPY --chown=1:$G a /x", to: "build-arg:G=2|ARG G\nCOPY --chown=1:$G a /x", input: "arg G", origin: byArg},
	"file.actions.copy.mode":                             {from: "COPY --chmod=600 a /x", to: "COPY --chmod=660 a /x", input: "command COPY", origin: line},
	"file.actions.copy.followSymlink":                    {from: "COPY a /x", to: "ADD https://e.org/a /x", input: "command ADD", origin: line},
	"file.actions.copy.dirCopyContents":                  {from: "COPY a /x", to: "ADD https://e.org/a /x", input: "command ADD", origin: line},
	"file.actions.copy.attemptUnpackDockerCompatibility": {from: "COPY a /x", to: "ADD a /x", input: "command ADD", origin: line},
	"file.actions.copy.createDestPath":                   {never: always},
	"file.actions.copy.allowWildcard":                    {from: "COPY a /x", to: "ADD https://e.org/a /x", input: "command ADD", origin: line},
	"file.actions.copy.allowEmptyWildcard":               {from: "COPY a /x", to: "ADD https://e.org/a /x", input: "command ADD", origin: line},
	"file.actions.copy.timestamp":                        {never: always},
	"file.actions.copy.include_patterns":                 {from: "COPY --parents a /x", to: "COPY --parents b /x", input: "command COPY", origin: line},
	"file.actions.copy.exclude_patterns":                 {from: "COPY --exclude=a . /x", to: "COPY --exclude=b . /x", input: "command COPY", origin: line},
	"file.actions.copy.alwaysReplaceExistingDestPaths":   {never: notUsed},
	"file.actions.copy.modeStr":                          {from: "COPY --chmod=u+x a /x", to: "COPY --chmod=g+x a /x", input: "command COPY", origin: line},
	"file.actions.copy.required_paths":                   {from: "COPY --parents a /x", to: "COPY --parents b /x", input: "command COPY", origin: line},
	"file.actions.mkfile":                                {never: "inline documents are in the text of the instruction"},
	"file.actions.mkdir.path":                            {from: "WORKDIR /a", to: "WORKDIR /b", input: "workdir workdir", origin: line},
	"file.actions.mkdir.mode":                            {never: always},
	"file.actions.mkdir.makeParents":                     {never: always},
	"file.actions.mkdir.owner.user.byName.name":          {from: "USER a\nWORKDIR /w", to: "USER b\nWORKDIR /w", input: "user user", origin: line},
	"file.actions.mkdir.owner.user.byName.input":         {never: follows},
	"file.actions.mkdir.owner.user.byID":                 {from: "USER 1\nWORKDIR /w", to: "USER 2\nWORKDIR /w", input: "user user", origin: line},
	"file.actions.mkdir.owner.group.byName.name":         {from: "USER 1:a\nWORKDIR /w", to: "USER 1:b\nWORKDIR /w", input: "user user", origin: line},
	"file.actions.mkdir.owner.group.byName.input":        {never: follows},
	"file.actions.mkdir.owner.group.byID":                {from: "USER 1:1\nWORKDIR /w", to: "USER 1:2\nWORKDIR /w", input: "user user", origin: line},
	"file.actions.mkdir.timestamp":                       {from: "build-arg:SOURCE_DATE_EPOCH=1|WORKDIR /w", to: "build-arg:SOURCE_DATE_EPOCH=2|WORKDIR /w", input: "option SOURCE_DATE_EPOCH", origin: byArg},
	"file.actions.rm":                                    {never: notUsed},
	"file.actions.symlink":                               {never: notUsed},

	"merge.inputs.input": {never: follows},
}

// TestKeyedFields goes through the fields of every operation that makes a step: what
// can change must have an input in the plan that says so, with its true origin.
func TestKeyedFields(t *testing.T) {
	seen := map[string]bool{}
	for name, op := range map[string]proto.Message{"exec": &pb.ExecOp{}, "file": &pb.FileOp{}, "merge": &pb.MergeOp{}} {
		for _, field := range leaves(op.ProtoReflect().Descriptor(), name) {
			row, ok := rowOf(field)
			if !ok {
				t.Errorf("%s has no row: can it be the reason that a step runs again, and does the plan say so?", field)
				continue
			}
			seen[row] = true
		}
	}
	for _, field := range slices.Sorted(maps.Keys(keyedFields)) {
		if !seen[field] {
			t.Errorf("there is no field %s", field)
		}
		if c := keyedFields[field]; c.never == "" {
			t.Run(field, func(t *testing.T) { checkField(t, field, c) })
		}
	}
}

// leaves lists the paths of all fields of a message that hold no message.
func leaves(d protoreflect.MessageDescriptor, path string) []string {
	var out []string
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		name := path + "." + string(f.Name())
		if f.Message() == nil {
			out = append(out, name)
		} else {
			out = append(out, leaves(f.Message(), name)...)
		}
	}
	return out
}

// rowOf returns the row of a field, or of the message that it is in.
func rowOf(field string) (string, bool) {
	for path := field; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
		if _, ok := keyedFields[path]; ok {
			return path, true
		}
	}
	return "", false
}

func checkField(t *testing.T, field string, c keyedField) {
	before, oldOp := lastStep(t, c.from)
	after, newOp := lastStep(t, c.to)
	path := strings.Split(field, ".")[1:]
	if old, now := valuesAt(oldOp, path), valuesAt(newOp, path); fmt.Sprint(old) == fmt.Sprint(now) {
		t.Fatalf("the field does not change: %v", now)
	}
	if before.Key == after.Key {
		t.Error("the key does not change")
	}
	for _, in := range after.Inputs {
		if slices.Contains(before.Inputs, in) {
			continue
		}
		if string(in.Kind)+" "+in.Name == c.input {
			if in.Origin.Kind != c.origin {
				t.Errorf("%s comes from %s, want %s", c.input, in.Origin.Kind, c.origin)
			}
			return
		}
	}
	t.Errorf("no input %q is new among %v, before %v", c.input, after.Inputs, before.Inputs)
}

// lastStep returns the last step of a case, in the plan and as an operation.
func lastStep(t *testing.T, text string) (cacheplan.Step, proto.Message) {
	t.Helper()
	parts := strings.Split(text, "|")
	c := &oracle.Case{Dockerfile: []byte("FROM busybox\n" + parts[len(parts)-1] + "\n"), Attrs: map[string]string{}}
	for _, p := range parts[:len(parts)-1] {
		key, value, _ := strings.Cut(p, "=")
		c.Attrs[key] = value
	}
	res, err := oracle.Converted(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	def, err := res.Definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	steps, digests := planIn(t.Context(), t, def).Steps, def.StepDigests()
	for _, data := range def.PB.Def {
		if digest.FromBytes(data) != digests[len(digests)-1] {
			continue
		}
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			t.Fatal(err)
		}
		if exec := op.GetExec(); exec != nil {
			return steps[len(steps)-1], exec
		}
		return steps[len(steps)-1], op.GetFile()
	}
	t.Fatal("the last step has no operation")
	return cacheplan.Step{}, nil
}

// valuesAt collects the values of a field in a message, by its path.
func valuesAt(m proto.Message, path []string) []any {
	var out []any
	var visit func(v protoreflect.Message, path []string)
	visit = func(v protoreflect.Message, path []string) {
		f := v.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
		if f == nil || !v.Has(f) {
			return
		}
		switch value := v.Get(f); {
		case f.IsList():
			for i := range value.List().Len() {
				if item := value.List().Get(i); f.Message() != nil {
					visit(item.Message(), path[1:])
				} else {
					out = append(out, item.Interface())
				}
			}
		case f.Message() != nil:
			visit(value.Message(), path[1:])
		default:
			out = append(out, value.Interface())
		}
	}
	visit(m.ProtoReflect(), path)
	return out
}

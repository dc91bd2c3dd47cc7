package rules_test

import (
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// contentBase makes files in a step that changes with the script, and reads them
// in a step that is keyed by what the first left.
const contentBase = `FROM $BASE
RUN --mount=source=script,target=/script sh -e /script
# cache=base=content
RUN ls -lR / >/dev/.seen
RUN echo after
`

// contentScript makes the files.
const contentScript = `mkdir -p /d/dir /d/empty
echo file >/d/file
echo file >/d/same
ln -s file /d/link
mknod /d/device c 1 3
`

const (
	contentMade = "RUN --mount=source=script,target=/script sh -e /script"
	contentSeen = "RUN ls -lR / >/dev/.seen"
)

// contentBases shows base=content: an earlier step that runs again leaves the step
// cached if it left the same files, and only then.
func contentBases() []rebuild {
	table := func(name string, ran []string, scripts ...string) rebuild {
		r := rebuild{Name: name, Dockerfile: contentBase, Files: map[string]string{"script": contentScript}}
		for _, more := range scripts {
			r.Want.more = append(r.Want.more, change{more, scenario.Written("script", contentScript+more+"\n"), append([]string{contentMade}, ran...)})
		}
		return r
	}
	missed := []string{contentSeen, "RUN echo after"}
	return append(contentForced(),
		table("same files", nil,
			"# a remark",
			"touch -t 200001010000 /d/file /d/dir /d /",
			"rm -r /d/file /d/dir && mkdir /d/dir && echo file >/d/file",
			"mkdir /d/more && rm -r /d/more",
		),
		// The daemon's checksum of files leaves these out, as for COPY --from.
		table("not in the key", nil,
			"rm /d/device && mknod /d/device c 1 5",
			"ln -f /d/file /d/same",
		),
		table("files", missed,
			"echo FILE >/d/file",
			"echo >>/d/file",
			"chmod 600 /d/file",
			"chmod u+s /d/file",
			"chown 1 /d/file",
			"chgrp 1 /d/file",
			"rm /d/file",
			": >/d/more",
			"mv /d/file /d/elif",
			"mv /d/file /d/dir",
		),
		table("directories", missed,
			"mkdir /d/more",
			"rmdir /d/empty",
			"mv /d/empty /d/void",
			"chmod 700 /d/dir",
			"chmod +t /d/dir",
			"chown 1 /d/empty",
			"chmod 700 /",
			"chown 1 /",
		),
		table("links and devices", missed,
			"ln -sf same /d/link",
			"rm /d/link && echo file >/d/link",
			"chown -h 1 /d/link",
			"rm /d/device && mknod /d/device b 1 3",
			"rm /d/device && mkfifo /d/device",
		),
	)
}

// contentForced are the other ways in which an earlier step comes to run.
func contentForced() []rebuild {
	files := map[string]string{"script": contentScript}
	return []rebuild{
		{
			Name: "no-cache filter", Dockerfile: contentBase, Files: files,
			Change: scenario.Asked("no-cache", "stage-0/2"), Want: expected{ran: []string{contentMade}},
		},
		{
			Name: "no-cache filter on the step", Dockerfile: contentBase, Files: files,
			Change: scenario.Asked("no-cache", "stage-0/3"), Want: expected{ran: []string{contentSeen, "RUN echo after"}},
		},
		{
			Name: "off", Dockerfile: contentBase, Files: files,
			Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "stage-0/2: off"}},
			Want:    expected{ran: []string{contentMade}},
		},
		{
			Name: "no-cache filter and another result", Files: files,
			Dockerfile: replaced(contentBase, "sh -e /script", "cat /proc/uptime >/result"), Change: scenario.Asked("no-cache", "stage-0/2"),
			Want: expected{ran: []string{replaced(contentMade, "sh -e /script", "cat /proc/uptime >/result"), contentSeen, "RUN echo after"}},
		},
		{
			Name: "without the rule", Dockerfile: contentBase, Files: files,
			Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "stage-0/2: off | stage-0/3: default"}},
			Want:    expected{ran: []string{contentMade, contentSeen, "RUN echo after"}},
		},
		{
			Name: "stage default", Dockerfile: "# cache=base=content\n" + contentBase, Files: files,
			Change: scenario.Asked("no-cache", "@4"), Want: expected{ran: []string{contentMade}},
		},
		{
			Name: "another base with the same files", Dockerfile: contentBase, Files: files,
			Change: rebased(map[string]string{"user.note": "one"}, map[string]string{"user.note": "one"}), Want: expected{ran: []string{contentMade}},
		},
		{
			Name: "extended attribute", Dockerfile: contentBase, Files: files,
			Change: rebased(map[string]string{"user.note": "one"}, map[string]string{"user.note": "two"}),
			Want:   expected{ran: []string{contentMade, contentSeen, "RUN echo after"}},
		},
		{
			Name: "extended attribute removed", Dockerfile: contentBase, Files: files,
			Change: rebased(map[string]string{"user.note": "one"}, nil),
			Want:   expected{ran: []string{contentMade, contentSeen, "RUN echo after"}},
		},
	}
}

// rebased builds on a base that has a file with the attributes before, and changes
// the base to one that differs by that file having those after, and by the order
// in its layer.
func rebased(before, after map[string]string) func(*project) {
	return func(p *project) {
		base := p.NewBase()
		push := func(files ...sandbox.File) {
			layer, err := sandbox.NewLayer(files...)
			p.Must(err)
			image, err := mutate.AppendLayers(base, layer)
			p.Must(err)
			p.Arg("BASE", p.PushImage(scenario.NewRepository()+":1", image))
		}
		other := sandbox.File{Path: "etc/other"}
		push(other, sandbox.File{Path: "etc/attributes", Xattrs: before})
		first := build(p)
		expect(p, "build on the first base", first, first.texts())
		push(sandbox.File{Path: "etc/attributes", Xattrs: after}, other)
	}
}

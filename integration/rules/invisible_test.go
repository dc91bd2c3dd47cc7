package rules_test

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// look prints all that a command could see of a rule: its environment, its mounts
// and every file, but for the trace's id, which every build has. The shell's
// programs have the prefix %s.
const look = "%[1]senv | %[1]sgrep -v ^TRACEPARENT= | %[1]ssort; %[1]scut -d ' ' -f 2,3 /proc/self/mounts; " +
	"%[1]sfind / -path /proc -prune -o -path /sys -prune -o -print | %[1]ssort; echo made > /made"

// TestInvisible builds the same with and without a rule. The command sees the same,
// and the layers have the same entries.
func TestInvisible(t *testing.T) {
	t.Parallel()
	sb, w := scenario.Start(t), scenario.NewWeb(t)
	if err := sb.Seed(t.Context(), sandbox.Debian, sandbox.Busybox); err != nil {
		t.Fatal(err)
	}
	w.SetText("/page", "page")
	rules := map[string]string{
		"off": "off",
		"ttl": "ttl=24h",
		"key": "key=" + w.URL + "/page," + w.URL + "/git/repo.git,image://busybox,file:file,file:dir,arg:A,text:1",
	}
	for base, dockerfile := range map[string]string{
		"busybox": "FROM $BASE\n#RULE\nRUN " + fmt.Sprintf(look, "") + "\n",
		"debian":  "FROM debian:bookworm-slim\nRUN echo " + t.Name() + "\n#RULE\nRUN " + fmt.Sprintf(look, "") + "\n",
		"no dev": "FROM scratch\nCOPY --from=$BASE /bin/busybox /etc/unique /\n#RULE\n" +
			`RUN ["/busybox", "sh", "-c", "` + fmt.Sprintf(look, "/busybox ") + `"]` + "\n",
		"no dev, with a cache mount": "FROM scratch\nCOPY --from=$BASE /bin/busybox /etc/unique /\n#RULE\n" +
			`RUN --mount=type=cache,target=/c ["/busybox", "sh", "-c", "` + fmt.Sprintf(look, "/busybox ") + `"]` + "\n",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, sb, rebuild{
				Dockerfile: replaced(dockerfile, "$BASE", "base"),
				Files:      map[string]string{"file": "", "dir/file": ""},
				Options:    sandbox.Build{Args: map[string]string{"A": "1"}},
			})
			p.Attr("context:base", "docker-image://docker.io/"+p.Args["BASE"])
			w.Repository(p, "repo.git")
			plain, plainLog := image(p)
			for name, rule := range rules {
				p.Write("Dockerfile", replaced(dockerfile, "$BASE", "base"))
				p.Edit("#RULE", "# cache="+rule)
				layers, log := image(p)
				if d := cmp.Diff(plainLog, log); d != "" {
					t.Errorf("%s: the command sees something else, -without +with:\n%s", name, d)
				}
				if d := cmp.Diff(plain, layers); d != "" {
					t.Errorf("%s: the layers differ, -without +with:\n%s", name, d)
				}
			}
		})
	}
}

// image builds the project and returns its layers' entries, and what the last step
// wrote.
func image(p *project) (layers [][]string, log string) {
	p.T.Helper()
	dir := p.T.TempDir()
	archive := filepath.Join(dir, "image.tar")
	p.Exports = append(p.Exports[:0], sandbox.ExportOCI(archive, nil))
	log = logOf(p.T, p.Solve(), "/proc/self/mounts")
	if log == "" {
		p.T.Fatal("the step did not run")
	}
	p.Must(exec.CommandContext(p.T.Context(), "tar", "-C", dir, "-xf", archive).Run())
	index, err := layout.ImageIndexFromPath(dir)
	p.Must(err)
	manifest, err := index.IndexManifest()
	p.Must(err)
	image, err := index.Image(manifest.Manifests[0].Digest)
	p.Must(err)
	all, err := image.Layers()
	p.Must(err)
	for _, layer := range all {
		rc, err := layer.Uncompressed()
		p.Must(err)
		layers = append(layers, entries(p, rc))
		p.Must(rc.Close())
	}
	return layers, log
}

// entries describes the entries of a layer, all but their times.
func entries(p *project, layer io.Reader) []string {
	p.T.Helper()
	var out []string
	for r := tar.NewReader(layer); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		p.Must(err)
		sum := sha256.New()
		_, err = io.Copy(sum, r)
		p.Must(err)
		var attrs strings.Builder
		for k, v := range h.PAXRecords {
			if strings.HasPrefix(k, "SCHILY.xattr.") {
				fmt.Fprintf(&attrs, " %s=%q", k, v)
			}
		}
		out = append(out, fmt.Sprintf("%c %s -> %q %o %d:%d %d %x%s", h.Typeflag, h.Name, h.Linkname, h.Mode, h.Uid, h.Gid, h.Size, sum.Sum(nil)[:8], attrs.String()))
	}
}

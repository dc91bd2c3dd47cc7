package travel_test

import (
	"strconv"
	"strings"
	"testing"
)

// Each of three new builders begins with what the one before left in its cache mount.
func TestMountsTravel(t *testing.T) {
	sb := start(t)
	for name, tr := range transports(sb) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, tr(t), counting)
			if p.imports[0].Type == "local" { // which clients do not import until it is there
				p.fresh()
				p.Args["N"] = "first"
				p.build()
			}
			want := ""
			for i := range 3 {
				p.fresh()
				p.Args["N"] = strconv.Itoa(i)
				want += strconv.Itoa(i) + "\n"
				files, r := p.build()
				if files["list"] != want || len(r.Warnings) > 0 {
					t.Fatalf("build %d: got %q, want %q, %q\n%s", i, files["list"], want, warnings(r), r)
				}
			}
			// On a builder that has it, nothing is restored; what it has is its own.
			p.Args["N"] = "more"
			files, r := p.build()
			if got := strings.Join(own(r), "\n"); files["list"] != want+"more\n" || strings.Contains(got, "restore") {
				t.Errorf("got %q, after\n%s", files["list"], got)
			}
			// Everything is as it was: nothing runs.
			if _, r := p.build(); len(own(r)) > 0 {
				t.Errorf("ran without a change: %q", own(r))
			}
		})
	}
}

// A build that imports no cache, or has no attestation, pays nothing.
func TestNothingTravels(t *testing.T) {
	sb := start(t)
	for name, change := range map[string]func(p *project){
		"no import":     func(p *project) { p.imports = nil },
		"no provenance": func(p *project) { delete(p.Attrs, "attest:provenance") },
		"share off":     func(p *project) { p.Args["CACHEWRIGHT_SHARE"] = "off" },
		"rules off":     func(p *project) { p.Args["CACHEWRIGHT_RULES"] = "off" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, registry(sb, "mode", "max"), counting)
			change(p)
			for i := range 2 {
				p.fresh()
				p.Args["N"] = strconv.Itoa(i)
				files, r := p.build()
				if files["list"] != p.Args["N"]+"\n" || len(own(r)) > 0 || len(r.Warnings) > 0 {
					t.Errorf("got %q, %q, %q", files["list"], own(r), warnings(r))
				}
			}
		})
	}
}

func TestMountsMax(t *testing.T) {
	p := newProject(t, registry(start(t), "mode", "max"), counting)
	p.Args["CACHEWRIGHT_MOUNTS_MAX"] = "10kB"
	for i := range 2 {
		p.fresh()
		p.Args["N"] = strconv.Itoa(i)
		files, r := p.build()
		if w := warnings(r); files["list"] != p.Args["N"]+"\n" || len(w) != 1 || !strings.Contains(w[0], "its files have 20kB, and CACHEWRIGHT_MOUNTS_MAX is 10kB") {
			t.Errorf("got %q, %q", files["list"], w)
		}
	}
}

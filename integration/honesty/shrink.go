package honesty

import (
	"context"
	"slices"
)

// Shrink returns the smallest world that it finds, until ctx ends, in which holds is
// still true. It takes away actions, then parts of builds, stages, instructions and
// files.
func Shrink(ctx context.Context, w *World, holds func(*World) bool) *World {
	try := func(smaller *World) bool {
		if ctx.Err() != nil || !holds(smaller) {
			return false
		}
		w = smaller
		return true
	}
	shrinkActions(func() *World { return w }, try)
	for shrinkProjects(func() *World { return w }, try) && ctx.Err() == nil {
		shrinkActions(func() *World { return w }, try)
	}
	shrinkBuilds(func() *World { return w }, try)
	return w
}

// shrinkActions takes away all actions but the last, in halves, quarters and so on.
func shrinkActions(now func() *World, try func(*World) bool) {
	for size := max(1, len(now().Actions)/2); ; size = max(1, size/2) {
		again := false
		for at := len(now().Actions) - 1 - size; at > -size; at -= size {
			from := max(0, at)
			smaller := *now()
			smaller.Actions = slices.Concat(smaller.Actions[:from], smaller.Actions[at+size:])
			again = try(&smaller) || again
		}
		if size == 1 && !again {
			return
		}
	}
}

// shrinkBuilds makes builds as plain as they can be.
func shrinkBuilds(now func() *World, try func(*World) bool) {
	for n := range now().Actions {
		for _, plain := range []func(*Build){
			func(b *Build) { b.Also = nil },
			func(b *Build) { b.Cancel = false },
			func(b *Build) { b.Client = ClientAPI },
			func(b *Build) { b.Client = ClientBuildx },
			func(b *Build) { b.Args = nil },
			func(b *Build) { b.Target = "" },
			func(b *Build) { b.Platform, b.Epoch, b.Host, b.LibImage = "", "", "", false },
		} {
			b, ok := now().Actions[n].(Build)
			if !ok {
				break
			}
			was := b
			if plain(&b); sameBuild(b, was) {
				continue
			}
			smaller := *now()
			smaller.Actions = slices.Clone(smaller.Actions)
			smaller.Actions[n] = b
			try(&smaller)
		}
	}
}

func sameBuild(a, b Build) bool {
	return a.Also == b.Also && a.Cancel == b.Cancel && a.Client == b.Client && a.Combination() == b.Combination() &&
		a.Target == b.Target && a.Epoch == b.Epoch && a.Host == b.Host
}

// shrinkProjects takes away stages, instructions and files from the beginning and
// from what projects are put back to. It reports whether it found any.
func shrinkProjects(now func() *World, try func(*World) bool) bool {
	found := false
	for n, p := range now().Begin.Projects {
		for _, file := range sortedNames(p.Dockerfiles) {
			for _, s := range slices.Backward(p.Dockerfiles[file].Stages) {
				found = try(now().without(n, func(p *Project) { p.dropStage(file, s.Name) })) || found
				for _, i := range slices.Backward(s.Steps) {
					found = try(now().without(n, func(p *Project) { p.dropStep(file, i.ID) })) || found
				}
			}
		}
		for _, name := range sortedNames(p.Files) {
			found = try(now().without(n, func(p *Project) { delete(p.Files, name) })) || found
		}
	}
	return found
}

func (p *Project) dropStage(file, name string) {
	if d := p.Dockerfiles[file]; d != nil {
		d.Stages = slices.DeleteFunc(d.Stages, func(s *Stage) bool { return s.Name == name })
	}
}

func (p *Project) dropStep(file string, id int) {
	if d := p.Dockerfiles[file]; d != nil {
		for _, s := range d.Stages {
			s.Steps = slices.DeleteFunc(s.Steps, func(i *Instruction) bool { return i.ID == id })
		}
	}
}

// without returns the world with something taken away from a project.
func (w *World) without(project int, take func(*Project)) *World {
	out := &World{Seed: w.Seed, Begin: w.Begin.Clone(), Actions: slices.Clone(w.Actions)}
	take(out.Begin.Projects[project])
	for n, a := range out.Actions {
		if back, ok := a.(Restore); ok && back.Project == project {
			back.To = back.To.Clone()
			take(back.To)
			out.Actions[n] = back
		}
	}
	return out
}

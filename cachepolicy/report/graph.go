package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// The measures of the drawn graph, in pixels.
const (
	nodeWidth, nodeHeight = 156, 62
	layerGap, nodeGap     = 46, 18
	laneHeight            = 10 // of an edge that passes a layer
	graphMargin           = 6
	cellSize, cellGap     = 9, 2
)

// graph is the graph of stages, laid out from left to right: a stage stands right
// of all that it starts or copies from.
type graph struct {
	Width, Height int
	Nodes         []*node
	Edges         []*edge
}

// node is a stage, or the place where a long edge passes a layer.
type node struct {
	Stage       int
	Name, Short string // Short fits the box
	Summary     string
	X, Y        int
	Width       int
	Cells       []cell
	Class       string

	layer, height int
	rank          float64 // of its place in the layer
	before, after []*node
}

// cell is one step in its stage's box.
type cell struct {
	X, Y, Width int
	Class       string
}

// edge leads from a stage to one that takes something of it.
type edge struct {
	Path  string // of an SVG path element
	Class string
	Title string

	via     []*node // from the first to the last, with those that it passes
	content bool    // only files are taken
}

// graph lays out the stages that have steps.
func (r *Report) graph(classes []string) *graph {
	g := &graph{}
	byStage := map[int]*node{}
	for i := range r.Plan.Steps {
		id := &r.Plan.Steps[i].ID
		n := byStage[id.StageIndex]
		if n == nil {
			n = &node{Stage: id.StageIndex, Name: phrase.OneLine(id.Stage), Width: nodeWidth, height: nodeHeight}
			n.Short = phrase.Shorten(n.Name, 19)
			byStage[id.StageIndex] = n
			g.Nodes = append(g.Nodes, n)
		}
		n.Cells = append(n.Cells, cell{Class: classes[i]})
	}
	g.connect(r, byStage, classes)
	layers := g.layers()
	order(layers)
	g.place(layers)
	for _, n := range g.Nodes {
		n.fill()
		n.Summary = r.stageSummary(n.Stage)
	}
	for _, e := range g.Edges {
		e.draw()
	}
	return g
}

// connect makes one edge for each pair of stages. Of several reasons for an edge
// "starts from" counts more than "copies from".
func (g *graph) connect(r *Report, byStage map[int]*node, classes []string) {
	roots := r.roots()
	byPair := map[[2]int]*edge{}
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		for _, f := range s.Follows {
			if f.Step < 0 || r.Plan.Steps[f.Step].ID.StageIndex == s.ID.StageIndex {
				continue
			}
			from := r.Plan.Steps[f.Step].ID
			pair := [2]int{from.StageIndex, s.ID.StageIndex}
			e := byPair[pair]
			if e == nil {
				e = &edge{via: []*node{byStage[pair[0]], byStage[pair[1]]}, content: true}
				e.Title = phrase.OneLine(fmt.Sprintf("%s takes from %s", s.ID.Stage, from.Stage))
				byPair[pair] = e
				g.Edges = append(g.Edges, e)
			}
			e.content = e.content && f.By == cacheplan.ByContent
			if len(roots) > 0 && roots[i] >= 0 && roots[i] == roots[f.Step] {
				e.Class = join(e.Class, chainClass(classes[i]))
			}
		}
	}
	for _, e := range g.Edges {
		if e.content {
			e.Class = join(e.Class, "content")
		}
	}
}

// chainClass returns the part of a step's class that names its chain.
func chainClass(class string) string {
	for word := range strings.FieldsSeq(class) {
		if word[0] == 'c' && strings.Trim(word[1:], "0123456789") == "" {
			return word
		}
	}
	return ""
}

// join adds a class to others, once.
func join(classes, more string) string {
	if more == "" || slices.Contains(strings.Fields(classes), more) {
		return classes
	}
	return strings.TrimSpace(classes + " " + more)
}

// layers puts each node into a layer right of those before it, and makes a node for
// each layer that an edge passes.
func (g *graph) layers() [][]*node {
	// The stages are in an order in which each stands after those it takes from, but
	// for a stage whose steps the plan meets between those of another.
	for range g.Nodes {
		for _, e := range g.Edges {
			e.via[1].layer = max(e.via[1].layer, e.via[0].layer+1)
		}
	}
	var layers [][]*node
	add := func(n *node) {
		for len(layers) <= n.layer {
			layers = append(layers, nil)
		}
		layers[n.layer] = append(layers[n.layer], n)
	}
	for _, n := range g.Nodes {
		add(n)
	}
	for _, e := range g.Edges {
		from, to := e.via[0], e.via[1]
		e.via = []*node{from}
		for l := from.layer + 1; l < to.layer; l++ {
			lane := &node{layer: l, Width: nodeWidth, height: laneHeight}
			add(lane)
			e.via = append(e.via, lane)
		}
		e.via = append(e.via, to)
		for i := 1; i < len(e.via); i++ {
			e.via[i-1].after = append(e.via[i-1].after, e.via[i])
			e.via[i].before = append(e.via[i].before, e.via[i-1])
		}
	}
	return layers
}

// order sorts each layer so that few edges cross: a node stands in the middle of
// those that it is connected to, looked at from the left and from the right in turn.
func order(layers [][]*node) {
	const sweeps = 6
	for _, layer := range layers {
		rank(layer)
	}
	for n := range sweeps {
		for i := range layers {
			layer, neighbours := layers[i], func(n *node) []*node { return n.before }
			if n%2 == 1 {
				layer, neighbours = layers[len(layers)-1-i], func(n *node) []*node { return n.after }
			}
			for _, n := range layer {
				if near := neighbours(n); len(near) > 0 {
					n.rank = 0
					for _, m := range near {
						n.rank += m.rank / float64(len(near))
					}
				}
			}
			slices.SortStableFunc(layer, func(a, b *node) int { return cmp.Compare(a.rank, b.rank) })
			rank(layer)
		}
	}
}

// rank says where in its layer each node stands, from 0 to 1.
func rank(layer []*node) {
	for i, n := range layer {
		n.rank = (float64(i) + 0.5) / float64(len(layer))
	}
}

// place gives each node its coordinates: layers are centred on each other.
func (g *graph) place(layers [][]*node) {
	height := func(layer []*node) int {
		total := -nodeGap
		for _, n := range layer {
			total += n.height + nodeGap
		}
		return total
	}
	inner := 0
	for _, layer := range layers {
		inner = max(inner, height(layer))
	}
	for l, layer := range layers {
		y := graphMargin + (inner-height(layer))/2
		for _, n := range layer {
			n.X, n.Y = graphMargin+l*(nodeWidth+layerGap), y
			y += n.height + nodeGap
		}
	}
	g.Width = 2*graphMargin + len(layers)*(nodeWidth+layerGap) - layerGap
	g.Height = 2*graphMargin + inner
}

// fill places the cells of a stage's steps in its box, smaller ones if they are many.
func (n *node) fill() {
	const side = 12
	room := n.Width - 2*side
	width := min(cellSize+cellGap, max(room/max(len(n.Cells), 1), 1))
	for i := range n.Cells {
		n.Cells[i].X = n.X + side + i*width
		n.Cells[i].Y = n.Y + n.height - side - cellSize
		n.Cells[i].Width = max(width-cellGap, 1)
	}
	for _, c := range n.Cells {
		n.Class = join(n.Class, chainClass(c.Class))
	}
	if len(n.Cells)*width > room {
		n.Cells = n.Cells[:room/width]
	}
}

// draw makes the path of an edge: level where it leaves a node or reaches one.
func (e *edge) draw() {
	var b strings.Builder
	first := e.via[0]
	fmt.Fprintf(&b, "M%d %d", first.X+first.Width, first.Y+first.height/2)
	for i, n := range e.via[1:] {
		from := e.via[i]
		x, y := from.X+from.Width, from.Y+from.height/2
		toY := n.Y + n.height/2
		fmt.Fprintf(&b, "C%d %d %d %d %d %d", x+layerGap/2, y, n.X-layerGap/2, toY, n.X, toY)
		if i < len(e.via)-2 { // through the lane of a layer
			fmt.Fprintf(&b, "H%d", n.X+n.Width)
		}
	}
	e.Path = b.String()
}

// stageSummary says how many steps a stage has, and how many run again.
func (r *Report) stageSummary(stage int) string {
	total, again, open := 0, 0, 0
	for i := range r.Plan.Steps {
		if r.Plan.Steps[i].ID.StageIndex != stage {
			continue
		}
		total++
		if !r.predicted() {
			continue
		}
		switch r.Predictions[i].State {
		case explain.StateReRun:
			again++
		case explain.StateUnknown:
			open++
		case explain.StateHit:
		}
	}
	switch {
	case total == 0:
		return "no step of this build"
	case again > 0:
		return fmt.Sprintf("%d of %d run again", again, total)
	case open > 0:
		return fmt.Sprintf("%d of %d may run again", open, total)
	}
	return phrase.Count(total, "step")
}

package report

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	//lint:ignore ST1001 elements read as the page they make
	. "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

//go:embed page.css
var pageStyle string

// render returns the page's markup. (html/template would make the frontend larger by
// 30 %: what it calls by name, the linker has to keep for all types.)
func (p page) render() Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.Link(h.Rel("icon"), h.Href("data:,")),
			h.TitleEl(Text(p.Headline+" – cache plan of "+p.Subject)),
			h.StyleEl(Raw(pageStyle+p.chainStyle())),
		),
		h.Body(
			h.A(h.Class("skip"), h.Href("#dockerfile"), Text("Skip to the Dockerfile")),
			h.Main(
				p.header(),
				Iff(len(p.Causes) > 0, p.causes),
				Iff(len(p.Graph.Nodes) > 1, p.Graph.render),
				part("dockerfile", "The Dockerfile, step by step", Map(p.Stages, pageStage.render)),
			),
		),
	))
}

// chainStyle makes the chain of the first cause stand out, until another one is
// chosen.
func (p page) chainStyle() string {
	var b strings.Builder
	for _, c := range p.Causes[:min(len(p.Causes), maxChains)] {
		scopes := []string{fmt.Sprintf("body:has(#cause-%d:target)", c.Number)}
		if c.Number == 1 {
			scopes = append(scopes, "body:not(:has(.causes :target))")
		}
		for _, scope := range scopes {
			in := fmt.Sprintf("%s .c%d", scope, c.Number)
			fmt.Fprintf(&b, "%s .rail { opacity: 1; }\n", in)
			fmt.Fprintf(&b, "%s.block { background: color-mix(in srgb, var(--rerun-bg) 55%%, transparent); }\n", in)
			fmt.Fprintf(&b, "%s.edge { stroke: var(--rerun); stroke-width: 2.5; }\n", in)
			fmt.Fprintf(&b, "%s .box { stroke: var(--rerun); stroke-width: 2; fill: var(--rerun-bg); }\n", in)
		}
	}
	return b.String()
}

// part is a section of the page with a heading.
func part(id, title string, children ...Node) Node {
	return h.Section(h.Aria("labelledby", id), h.H2(h.ID(id), Text(title)), Group(children))
}

func (p page) header() Node {
	return h.Header(
		h.P(h.Class("subject"), Text(p.Subject)),
		h.H1(Text(p.Headline)),
		h.P(h.Class("lead"), Text(p.Lead)),
		Iff(len(p.Tally) > 0, func() Node {
			return Group{
				h.Div(h.Class("bar"), h.Aria("hidden", "true"), Map(p.Tally, func(t pageTally) Node {
					return h.I(h.Class(t.Class), h.Style("flex-grow:"+strconv.Itoa(t.Count)))
				})),
				h.Ul(h.Class("tally"), Map(p.Tally, func(t pageTally) Node {
					return h.Li(h.Span(h.Class("dot "+t.Class), h.Aria("hidden", "true")), h.B(Text(strconv.Itoa(t.Count))), Text(" "+t.Word))
				})),
			}
		}),
	)
}

func (p page) causes() Node {
	title := "Causes"
	if len(p.Causes) == 1 {
		title = "The cause"
	}
	return part("causes", title, h.Ol(h.Class("causes"), Map(p.Causes, func(c pageCause) Node {
		return c.render(len(p.Causes) > 1 && c.Number <= maxChains)
	})))
}

// render returns a cause with a link to its step and, if that can be chosen, to its
// chain.
func (c pageCause) render(choose bool) Node {
	where := fmt.Sprintf("Line %d", c.Line)
	if c.Line == 0 {
		where = "Trigger of the base image"
	}
	highlight := Iff(choose, func() Node {
		return Group{Text(" · "), h.A(h.Href(fmt.Sprintf("#cause-%d", c.Number)), Text("highlight"), hidden(fmt.Sprintf(" the steps of cause %d", c.Number)))}
	})
	return h.Li(h.ID(fmt.Sprintf("cause-%d", c.Number)),
		h.B(Text(strings.Join(c.Reasons, ", "))),
		h.P(h.A(h.Href(fmt.Sprintf("#step-%d", c.Step)), Text(where)), Text(" "), h.Code(Text(c.Name))),
		If(c.Effect != "", h.P(h.Span(h.Class("effect"), Text(c.Effect)), highlight)),
	)
}

// hidden is text for those who hear the page.
func hidden(text string) Node { return h.Span(h.Class("vh"), Text(text)) }

func (g *graph) render() Node {
	width, height := strconv.Itoa(g.Width), strconv.Itoa(g.Height)
	const label = "Graph of the stages"
	return part("stages", "Stages", h.Figure(
		h.Div(h.Class("scroll"), h.TabIndex("0"), h.Role("group"), h.Aria("label", label),
			El("svg", h.Width(width), h.Height(height), Attr("viewBox", "0 0 "+width+" "+height), h.Role("group"), h.Aria("label", label),
				Map(g.Edges, func(e *edge) Node {
					return El("path", h.Class("edge "+e.Class), Attr("d", e.Path), El("title", Text(e.Title)))
				}),
				Map(g.Nodes, (*node).render),
			),
		),
		h.FigCaption(Text("A line leads to the stage that starts from another one, a dashed line to one that copies files of it. Each square is a step.")),
	))
}

func (n *node) render() Node {
	what := n.Name + ": " + n.Summary
	text := func(class string, line int, text string) Node {
		return El("text", h.Class(class), coordinate("x", n.X+12), coordinate("y", n.Y+line), Text(text))
	}
	return h.A(h.Href(fmt.Sprintf("#stage-%d", n.Stage)), h.Class(n.Class), h.Aria("label", "Stage "+what),
		El("title", Text(what)),
		rect("box", n.X, n.Y, n.Width, n.height, "7"),
		text("name", 20, n.Short), text("summary", 35, n.Summary),
		Map(n.Cells, func(c cell) Node { return rect("cell "+c.Class, c.X, c.Y, c.Width, cellSize, "1.5") }),
	)
}

func coordinate(name string, value int) Node { return Attr(name, strconv.Itoa(value)) }

func rect(class string, x, y, width, height int, radius string) Node {
	return El("rect", h.Class(class), coordinate("x", x), coordinate("y", y), coordinate("width", width), coordinate("height", height), Attr("rx", radius))
}

func (s pageStage) render() Node {
	lines := h.Ol(h.Class("lines"), Map(s.Blocks, pageBlock.render))
	if s.Index < 0 {
		return h.Section(h.Class("stage"), lines)
	}
	id := fmt.Sprintf("stage-%d", s.Index)
	return h.Section(h.Class("stage"), h.ID(id), h.Aria("labelledby", id+"-name"),
		h.H3(h.ID(id+"-name"), Text(s.Name+" "), h.Small(Text(s.Summary))), lines)
}

func (b pageBlock) render() Node {
	class := "block"
	for _, s := range b.Steps {
		class += " " + s.Class
	}
	if len(b.Steps) == 0 {
		class += " plain"
	}
	return h.Li(h.Class(class),
		h.Span(h.Class("rail"), h.Aria("hidden", "true")),
		h.Div(h.Class("code"), Map(b.Lines, pageLine.render)),
		Map(b.Steps, pageStep.render),
	)
}

func (l pageLine) render() Node {
	return h.Div(h.Span(h.Class("ln"), Text(strconv.Itoa(l.Number))),
		h.Code(If(l.Class != "", h.Class(l.Class)), If(l.Keyword != "", h.B(Text(l.Keyword))), Text(l.Texts)))
}

func (s pageStep) render() Node {
	return h.Div(h.Class("step "+s.Class), h.ID(fmt.Sprintf("step-%d", s.Index)),
		If(s.Text != "", h.Code(Text(s.Text))),
		h.Div(h.Class("facts"),
			If(s.State != "", h.Span(h.Class("state"), Text(s.State))), Text(" "), h.Span(h.Class("number"), Text(s.Number)),
			Map(s.Facts, func(f string) Node { return Group{Text(" "), h.Span(h.Class("fact"), Text(f))} }),
			If(len(s.Rows) > 0, h.Details(h.Summary(Text(s.Inputs), hidden(" of "+s.Number)), h.Dl(Map(s.Rows, row.render)))),
		),
		If(len(s.Reasons) > 0, h.P(h.Class("why"), h.Span(h.Aria("hidden", "true"), Text("← ")), Text(strings.Join(s.Reasons, ", ")))),
	)
}

func (r row) render() Node {
	return Group{h.Dt(Text(r.kind)), h.Dd(h.Code(Text(r.text)), Text(" "), h.Small(Text(r.origin)))}
}

package reports_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/browser"
)

// TestPage opens pages of real builds in a browser, at the widths of a phone and of a
// desktop, light and dark. PAGES=DIR keeps pictures of them.
func TestPage(t *testing.T) {
	for _, c := range []struct {
		name       string
		dockerfile string
		files      map[string]string
		change     map[string]string
		says       []string // in this order
	}{
		{
			name: "many", dockerfile: many, files: map[string]string{"src/a": "1", "src/b.md": "1", "list": "1"},
			change: map[string]string{"src/a": "2"},
			says:   []string{"src/a changed", "Stages", "FROM busybox:$TAG AS base", "hit", "base 1/3", "COPY --exclude=*.md src /src", "re-run", "src/a changed"},
		},
		{
			name: "stages", dockerfile: stages(), files: stagesFiles(),
			change: map[string]string{"web/src/main.js": "2", "docs/index.md": "2"},
			says:   []string{"run again", "web/src/main.js changed", "docs/index.md changed", "COPY web/src src", "re-run", "web/src/main.js changed", "COPY --from=docs", "unknown"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, c.dockerfile, c.files)
			build(p)
			for name, text := range c.change {
				p.Write(name, text)
			}
			html := p.Call("cache-html")
			if strings.Contains(html, "<script") || strings.Contains(html, "ZgotmplZ") {
				t.Error("the page has a script, or text that was taken for something else")
			}
			page, end, err := browser.Open(t.Context(), []byte(html))
			p.Must(err)
			defer end()
			for _, v := range []browser.View{{Width: 390, Height: 844}, {Width: 390, Height: 844, Dark: true}, {Width: 1280, Height: 900}, {Width: 1280, Height: 900, Dark: true}} {
				p.Must(page.Look(v))
				checkView(t, page, fmt.Sprintf("%d, dark %v", v.Width, v.Dark))
				keep(t, page, fmt.Sprintf("%s-%d-%v.png", c.name, v.Width, v.Dark))
			}
			checkOrder(t, page, c.says)
			checkKeyboard(t, page)
			if got := page.Complaints(); len(got) > 0 {
				t.Errorf("the console has %q", got)
			}
			if got := page.Requests(); len(got) != 1 {
				t.Errorf("the page loads %q", got[1:])
			}
		})
	}
}

// checkView looks for text that cannot be read: beside the window, on top of other
// text, or with too little contrast (WCAG AA).
func checkView(t *testing.T, page *browser.Page, view string) {
	t.Helper()
	for _, problem := range evaluate[[]string](t, page, readable) {
		t.Errorf("%s: %s", view, problem)
	}
}

// readable returns what cannot be read on the page.
const readable = `(() => {
  const problems = []
  if (document.documentElement.scrollWidth > window.innerWidth)
    problems.push('the page is ' + document.documentElement.scrollWidth + ' wide')
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1)
  const background = element => {
    if (!element) return [255, 255, 255, 1]
    const style = getComputedStyle(element)
    const own = rgba(style.backgroundColor)
    return own[3] === 1 ? own : over(own, background(element.parentElement))
  }
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const seen = new Set()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement
    if (!text || element.closest('.vh, title, .skip') || element.closest('details:not([open]) dl')) continue
    const box = element.getBoundingClientRect()
    if (!element.closest('.scroll') && (box.right > window.innerWidth + 1 || box.left < -1)) problems.push('outside the window: ' + text)
    const style = getComputedStyle(element)
    const svg = element.closest('svg')
    const behind = svg ? rgba(getComputedStyle(element.parentElement.querySelector('.box')).fill) : background(element)
    const colour = over(rgba(svg ? style.fill : style.color), behind)
    const [light, dark] = [luminance(colour), luminance(behind)].sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05), key = element.className + contrast
    if (contrast < 4.5 && !seen.has(key)) { seen.add(key); problems.push('contrast ' + contrast.toFixed(2) + ': ' + text) }
  }
  return problems
})()`

// checkOrder looks for texts in the order in which a screen reader comes to them, and
// at the headings and names that it jumps to.
func checkOrder(t *testing.T, page *browser.Page, says []string) {
	t.Helper()
	text := evaluate[string](t, page, `document.body.innerText`)
	rest := text
	for _, s := range says {
		_, after, ok := strings.Cut(rest, s)
		if !ok {
			t.Errorf("no %q in its place in\n%s", s, text)
			return
		}
		rest = after
	}
	levels := evaluate[[]int](t, page, `[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])`)
	for i, l := range levels {
		if i == 0 && l != 1 || i > 0 && (l == 1 || l > levels[i-1]+1) {
			t.Errorf("headings of levels %v", levels)
			break
		}
	}
	for _, problem := range evaluate[[]string](t, page, `(() => {
	  const problems = [], ids = new Set()
	  for (const e of document.querySelectorAll('[id]')) { if (ids.has(e.id)) problems.push('two elements are ' + e.id); ids.add(e.id) }
	  for (const a of document.querySelectorAll('a')) {
	    const to = (a.getAttribute('href') ?? '').slice(1)
	    if (!ids.has(to)) problems.push('a link to nothing: ' + to)
	    if (!a.getAttribute('aria-label') && !a.textContent.trim()) problems.push('a link without a name')
	  }
	  for (const e of document.querySelectorAll('[aria-labelledby]')) if (!ids.has(e.getAttribute('aria-labelledby'))) problems.push('no label ' + e.getAttribute('aria-labelledby'))
	  if (!document.documentElement.lang) problems.push('no language')
	  return problems
	})()`) {
		t.Error(problem)
	}
}

// checkKeyboard walks with the tab key: the focus goes down the page and can be seen.
func checkKeyboard(t *testing.T, page *browser.Page) {
	t.Helper()
	evaluate[bool](t, page, `(document.activeElement?.blur(), window.scrollTo(0, 0), window.order = [...document.querySelectorAll('*')], true)`)
	var at []int
	for range 30 {
		if err := page.Press("\t"); err != nil {
			t.Fatal(err)
		}
		if evaluate[bool](t, page, `document.activeElement === document.body`) {
			break // past the end
		}
		at = append(at, evaluate[int](t, page, `order.indexOf(document.activeElement)`))
		if !evaluate[bool](t, page, `document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle !== 'none'`) {
			t.Errorf("the focus is not seen on %s", evaluate[string](t, page, `document.activeElement.outerHTML.slice(0, 200)`))
		}
	}
	if !slices.IsSorted(at) || len(at) < 5 {
		t.Errorf("the focus goes to elements %v", at)
	}
	// A cause is opened with the keyboard alone, and its chain stands out then.
	if evaluate[int](t, page, `document.querySelectorAll('.causes li').length`) > 1 {
		before := evaluate[string](t, page, `getComputedStyle(document.querySelector('.block.c2 .rail')).opacity`)
		evaluate[bool](t, page, `(document.querySelector('a[href="#cause-2"]').focus(), true)`)
		if err := page.Press("\r"); err != nil {
			t.Fatal(err)
		}
		if after := evaluate[string](t, page, `getComputedStyle(document.querySelector('.block.c2 .rail')).opacity`); before == after {
			t.Errorf("the chain of the second cause is not highlighted: %s, %s", before, after)
		}
	}
}

func evaluate[T any](t *testing.T, page *browser.Page, expression string) T {
	t.Helper()
	v, err := browser.Evaluate[T](page, expression)
	if err != nil {
		t.Fatalf("%v\n%.300s", err, expression)
	}
	return v
}

// keep writes a picture of the page, if somebody wants to look at it.
func keep(t *testing.T, page *browser.Page, name string) {
	t.Helper()
	dir := os.Getenv("PAGES")
	if dir == "" {
		return
	}
	picture, err := page.WholePicture()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Package browser shows a page in a headless Chromium, for tests of what a page looks
// like and for pictures of it.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// View is how a page is looked at.
type View struct {
	Width, Height int64 // of the window, in CSS pixels
	Dark          bool  // what the user prefers
	Scale         float64
}

// Page is an open page.
type Page struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// Open starts a browser that shows a page. The function that it returns ends the
// browser. It fails if there is no Chromium and none can be installed.
func Open(ctx context.Context, html []byte) (*Page, func(), error) {
	if err := sandbox.RequirePrograms(ctx, map[string]string{"chromium": "chromium"}); err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "cachewright-browser-")
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, html, 0o644); err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	ctx, endBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, endPage := chromedp.NewContext(ctx)
	end := func() {
		endPage()
		endBrowser()
		os.RemoveAll(dir)
	}
	p := &Page{ctx: ctx}
	if err := p.load((&url.URL{Scheme: "file", Path: file}).String()); err != nil {
		end()
		return nil, nil, err
	}
	return p, end, nil
}

func (p *Page) load(address string) error {
	if err := chromedp.Listen(p.ctx, p.event); err != nil {
		return err
	}
	return chromedp.Do(p.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return err
	}), chromedp.Navigate(address))
}

// event keeps what the browser complains of, and what it loads.
func (p *Page) event(e any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case *cdplog.EventEntryAdded:
		p.complaints = append(p.complaints, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *runtime.EventConsoleAPICalled:
		p.complaints = append(p.complaints, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		p.complaints = append(p.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// Complaints returns what stands in the browser's console.
func (p *Page) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

// Requests returns the addresses that were loaded, the page's own first.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

// Look sets how the page is looked at from now on.
func (p *Page) Look(v View) error {
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	return chromedp.Do(p.ctx, chromedp.EmulateViewport(v.Width, v.Height, chromedp.EmulateScale(max(v.Scale, 1))),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
}

// Picture returns what is seen in the window as a PNG.
func (p *Page) Picture() ([]byte, error) { return chromedp.Run(p.ctx, chromedp.CaptureScreenshot()) }

// WholePicture returns all of the page as a PNG.
func (p *Page) WholePicture() ([]byte, error) {
	return chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
}

// Press presses keys, as chromedp.KeyEvent takes them.
func (p *Page) Press(keys string) error { return chromedp.Do(p.ctx, chromedp.KeyEvent(keys)) }

// Evaluate returns the value of a JavaScript expression in the page.
func Evaluate[T any](p *Page, expression string) (T, error) {
	return chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
}

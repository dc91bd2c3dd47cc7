package main

import (
	"context"

	"github.com/cachewright/cachewright/integration/browser"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// photograph returns a picture of the page that --call=cache-html prints.
func photograph(ctx context.Context, s *sandbox.Sandbox, project string) ([]byte, error) {
	asked, err := s.Buildx(ctx, "--call=cache-html", project)
	if err != nil {
		return nil, err
	}
	page, end, err := browser.Open(ctx, []byte(asked.Stdout))
	if err != nil {
		return nil, err
	}
	defer end()
	if err := page.Look(browser.View{Width: 1100, Height: 1180, Scale: 1.5}); err != nil {
		return nil, err
	}
	return page.Picture()
}

package llbconv

import (
	"context"

	"github.com/moby/patternmatcher"
)

// lookUp asks for everything outside the file that its steps depend on: the base
// images and, meanwhile, .dockerignore. An error about the images comes first.
func (c *conversion) lookUp(ctx context.Context, g *graph) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan error, 1)
	go func() {
		var err error
		c.ignored, err = c.ignoreMatcher(ctx)
		read <- err
	}()
	err := c.resolve(ctx, g)
	if err != nil {
		cancel()
		<-read
		return err
	}
	return <-read
}

// ignoreMatcher returns the patterns of .dockerignore; nil if there are none.
func (c *conversion) ignoreMatcher(ctx context.Context) (*patternmatcher.PatternMatcher, error) {
	if c.opt.Client == nil {
		return nil, nil
	}
	patterns, err := c.opt.Client.DockerIgnorePatterns(ctx)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

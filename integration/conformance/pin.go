package main

import (
	_ "github.com/cachewright/cachewright/frontend"  // what the in-process modes link into the suite
	_ "github.com/moby/buildkit/frontend/dockerfile" // the suite itself, so that go.sum covers its tests
)

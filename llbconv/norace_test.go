//go:build !race

package llbconv_test

const (
	runsUpstream   = true
	measuresMemory = true
)

//go:build !race

package frontend_test

const runsUpstream = true

// Package recorder tests package recorder where it runs: as a step of a real build,
// beside the steps whose cache keys it says it knows. It holds tests alone.
package recorder

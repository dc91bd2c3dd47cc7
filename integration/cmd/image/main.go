// Command image builds the frontend image that is published, on a sandbox of its
// own, and writes it as an OCI archive.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/cachewright/cachewright/integration/release"
)

func main() {
	out := flag.String("o", "build/frontend.tar", "file to write the OCI archive to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) error {
	result, err := release.Archive(ctx, out, os.Stdout)
	if err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, %.1f MB, %s\n", out, release.Platforms, float64(info.Size())/1e6, result.Exporter["containerimage.digest"])
	return nil
}

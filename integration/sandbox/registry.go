package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const registryConfig = `version: 0.1
log:
  formatter: json
storage:
  filesystem:
    rootdirectory: %s
  delete:
    enabled: true
validation: # caches may be indexes of layers
  manifests:
    indexes:
      platforms: none
http:
  addr: 127.0.0.1:0
`

// FillRegistry puts images into the files of a registry that is not running: it
// starts one on the directory dir, pushes the images, whose keys are repositories
// with a tag, and stops it. The files are below dir/registry.
func FillRegistry(ctx context.Context, dir string, images map[string]v1.Image) error {
	program, err := Current.Program(ctx, "registry")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	s := &Sandbox{dir: dir, run: dir}
	err = s.startRegistry(ctx, program)
	if s.registry != nil {
		defer s.registry.stop()
	}
	if err != nil {
		return err
	}
	for ref, image := range images {
		if err := s.PushImage(ctx, ref, image); err != nil {
			return err
		}
	}
	return nil
}

// startRegistry starts the program, a registry with plain HTTP on a free port of 127.0.0.1.
func (s *Sandbox) startRegistry(ctx context.Context, program string) error {
	config := filepath.Join(s.run, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(s.dir, "registry"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	var err error
	s.registry, err = startServer("registry", s.run, filepath.Join(s.dir, "registry.log"), syscall.SysProcAttr{},
		[]string{"OTEL_TRACES_EXPORTER=none"}, program, "serve", config)
	if err != nil {
		return err
	}
	err = poll(ctx, func() (bool, error) {
		if err := s.registry.exited(); err != nil {
			return false, err
		}
		s.registryAddr = listenAddress(s.registry.logPath)
		return s.registryAddr != "", nil
	})
	if err != nil {
		return fmt.Errorf("wait for the registry: %w", err)
	}
	return nil
}

// listenAddress returns the address that the registry logged once its socket was
// open, or an empty string. Only the log knows the port the kernel chose.
func listenAddress(logPath string) string {
	log, err := os.ReadFile(logPath)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(log)) {
		var entry struct {
			Msg string `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		addr, ok := strings.CutPrefix(entry.Msg, "listening on ")
		if _, _, err := net.SplitHostPort(addr); ok && err == nil {
			return addr
		}
	}
	return ""
}

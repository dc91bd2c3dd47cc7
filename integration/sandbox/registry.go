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
)

const registryConfig = `version: 0.1
log:
  formatter: json
storage:
  filesystem:
    rootdirectory: %s
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
`

// startRegistry starts a registry with plain HTTP on a free port of 127.0.0.1.
func (s *Sandbox) startRegistry(ctx context.Context) error {
	config := filepath.Join(s.run, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(s.dir, "registry"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	var err error
	s.registry, err = startServer("registry", filepath.Join(s.dir, "registry.log"), syscall.SysProcAttr{},
		[]string{"OTEL_TRACES_EXPORTER=none"}, s.tools.Registry, "serve", config)
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

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

// startRegistry starts a registry with plain HTTP on a free port of 127.0.0.1
// and its files below dir. It returns the registry's host:port.
func startRegistry(ctx context.Context, program, dir string) (*server, string, error) {
	config := filepath.Join(dir, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(dir, "registry"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, "", err
	}
	env := []string{"OTEL_TRACES_EXPORTER=none"}
	srv, err := startServer("registry", filepath.Join(dir, "registry.log"), syscall.SysProcAttr{}, env, program, "serve", config)
	if err != nil {
		return nil, "", err
	}
	var addr string
	err = poll(ctx, func() (bool, error) {
		if err := srv.exited(); err != nil {
			return false, err
		}
		addr = listenAddress(srv.logPath)
		return addr != "", nil
	})
	if err != nil {
		srv.stop()
		return nil, "", fmt.Errorf("wait for the registry: %w", err)
	}
	return srv, addr, nil
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

package llbconv

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/pkg/errors"
)

// expose evaluates an EXPOSE: ports and port ranges with an optional protocol.
// An address or host port in front, as docker run takes them, has no effect.
func (e *stageEval) expose(c *instructions.ExposeCommand) error {
	var specs, ports []string
	for _, word := range c.Ports {
		if err := checkNesting(word, e.c.words.escape); err != nil {
			return err
		}
		words, err := e.c.words.shell().ProcessWords(word, e.env)
		if err != nil {
			return err
		}
		specs = append(specs, words...)
	}
	for _, text := range specs {
		spec, err := parsePortSpec(text)
		if err != nil {
			return err
		}
		e.checkPortSpec(c, text, spec)
		expanded, err := spec.expand()
		if err != nil {
			return err
		}
		ports = append(ports, expanded...)
	}
	cfg := &e.s.config.img.Config
	if cfg.ExposedPorts == nil {
		cfg.ExposedPorts = make(map[string]struct{}, len(ports))
	}
	for _, p := range ports {
		cfg.ExposedPorts[p] = struct{}{}
	}
	e.record(fmt.Sprintf("EXPOSE %v", ports))
	return nil
}

// portSpec is [address:][host port:]container port[/protocol], not yet validated.
type portSpec struct {
	address, host, container, proto string
}

// parsePortSpec splits a port specification and checks its protocol.
func parsePortSpec(word string) (portSpec, error) {
	var s portSpec
	rest := word
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		s.host, rest = rest[:i], rest[i+1:]
		if i := strings.LastIndexByte(s.host, ':'); i >= 0 {
			s.address, s.host = s.host[:i], s.host[i+1:]
		}
	}
	s.container, s.proto, _ = strings.Cut(rest, "/")
	if s.container == "" {
		return s, errors.Wrapf(errors.New("no port specified"), "invalid port: %q", word)
	}
	switch strings.ToLower(s.proto) {
	case "":
		s.proto = "tcp"
	case "tcp", "udp", "sctp":
	default:
		return s, errors.Wrapf(errors.New("invalid proto: "+s.proto), "invalid port: %q", word)
	}
	return s, nil
}

func (e *stageEval) checkPortSpec(c *instructions.ExposeCommand, word string, s portSpec) {
	if s.proto != strings.ToLower(s.proto) {
		e.lint.Run(&linter.RuleExposeProtoCasing, c.Location(), linter.RuleExposeProtoCasing.Format(word))
	}
	if s.address != "" || s.host != "" {
		e.lint.Run(&linter.RuleExposeInvalidFormat, c.Location(), linter.RuleExposeInvalidFormat.Format(word))
	}
}

// expand validates a specification and lists its container ports.
func (s portSpec) expand() ([]string, error) {
	if err := s.checkAddress(); err != nil {
		return nil, err
	}
	first, last, err := parsePortRange(s.container)
	if err != nil {
		return nil, errors.New("invalid containerPort: " + s.container)
	}
	if s.host != "" {
		hostFirst, hostLast, err := parsePortRange(s.host)
		if err != nil {
			return nil, errors.New("invalid hostPort: " + s.host)
		}
		if last != first && last-first != hostLast-hostFirst {
			return nil, errors.Errorf("invalid ranges specified for container and host Ports: %s and %s", s.container, s.host)
		}
	}
	ports := make([]string, 0, last-first+1)
	for p := first; p <= last; p++ {
		ports = append(ports, strconv.Itoa(p)+"/"+strings.ToLower(s.proto))
	}
	return ports, nil
}

func (s portSpec) checkAddress() error {
	ip := s.address
	if strings.HasPrefix(ip, "[") {
		host, _, err := net.SplitHostPort(ip + ":")
		if err != nil {
			return errors.Wrapf(err, "invalid IP address %v", ip)
		}
		ip = host
	}
	if ip != "" && net.ParseIP(ip) == nil {
		return errors.New("invalid IP address: " + ip)
	}
	return nil
}

// parsePortRange reads PORT or FIRST-LAST.
func parsePortRange(s string) (first, last int, err error) {
	from, to, isRange := strings.Cut(s, "-")
	if first, err = parsePort(from); err != nil || !isRange || from == to {
		return first, first, err
	}
	if last, err = parsePort(to); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, errors.Errorf("invalid port range: %s", s)
	}
	return first, last, nil
}

func parsePort(s string) (int, error) {
	p, err := strconv.ParseInt(s, 10, 0)
	if err != nil || p < 0 || p > 65535 {
		return 0, errors.Errorf("invalid port number %q", s)
	}
	return int(p), nil
}

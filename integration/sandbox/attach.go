package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
)

// stateFile is there, in a sandbox's directory, while both servers answer.
const stateFile = "sandbox.json"

// state is what another process needs to use a running sandbox.
type state struct {
	Run      string
	Addr     string
	Registry string
	Owner    int // process id of the process that started it
}

// writeState makes the sandbox known to Attach.
func (s *Sandbox) writeState() error {
	data, err := json.Marshal(state{Run: s.run, Addr: s.addr, Registry: s.registryAddr, Owner: s.owner})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, stateFile), data, 0o644)
}

// Attach connects to a sandbox that another process runs in the directory dir.
// It fails when none runs there. Closing the attached sandbox does not stop it.
func Attach(ctx context.Context, dir string) (*Sandbox, error) {
	st, err := readState(dir)
	if err != nil {
		return nil, err
	}
	c, err := client.New(ctx, st.Addr)
	if err == nil {
		_, err = c.ListWorkers(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("no sandbox runs in %s: %w", dir, err)
	}
	return &Sandbox{dir: dir, run: st.Run, addr: st.Addr, registryAddr: st.Registry, owner: st.Owner, client: c}, nil
}

// Owner returns the process id of the process that runs the sandbox. The servers
// end with it.
func (s *Sandbox) Owner() int { return s.owner }

// WaitStopped waits until the owner of an attached sandbox has closed it.
func (s *Sandbox) WaitStopped(ctx context.Context) error {
	return poll(ctx, func() (bool, error) {
		_, err := os.Stat(filepath.Join(s.dir, stateFile))
		return os.IsNotExist(err), nil
	})
}

func readState(dir string) (state, error) {
	var st state
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return st, fmt.Errorf("no sandbox runs in %s: %w", dir, err)
	}
	return st, json.Unmarshal(data, &st)
}

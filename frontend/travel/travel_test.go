package travel

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeep(t *testing.T) {
	for name, size := range map[string]int{"nothing": 0, "a byte": 1, "one variable": 72 << 10, "two": 72<<10 + 1, "all": MaxBytes} {
		t.Run(name, func(t *testing.T) {
			data := []byte(strings.Repeat("\x00\xff\n=", size/4+1))[:size]
			values, err := Pack(data)
			if err != nil {
				t.Fatal(err)
			}
			env := map[string]string{}
			for i, v := range values {
				if len(v) >= 128<<10 {
					t.Errorf("%s has %d bytes, more than the kernel takes", variables[i], len(v))
				}
				env[variables[i]] = v
			}
			if got := keep(t, env); !bytes.Equal(got, data) {
				t.Errorf("kept %d bytes of %d", len(got), len(data))
			}
		})
	}
	if _, err := Pack(make([]byte, MaxBytes+1)); err == nil {
		t.Error("packed more than there is room for")
	}
}

// A builder that has a proxy of its own has no data.
func TestKeepProxy(t *testing.T) {
	if got := keep(t, map[string]string{"http_proxy": "http://proxy.example.org:3128"}); len(got) != 0 {
		t.Errorf("kept %q", got)
	}
}

func keep(t *testing.T, env map[string]string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := Keep(dir, func(name string) string { return env[name] }); err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(filepath.Join(dir, NoneName)); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, DataName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

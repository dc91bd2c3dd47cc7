package recorder

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Limits of the directory with the records. Where there is more, the files that
// were not used for the longest time go.
const (
	MaxStoreFiles = 256
	MaxStoreBytes = 256 << 20
)

// The store's files.
const (
	recordSuffix = ".record" // after Request.Record
	logSuffix    = ".log"    // likewise
	indexSuffix  = ".index"
	tempPrefix   = "tmp-"
	lockName     = "lock"
	ledgerName   = "ledger"
)

// store is the directory with records and indexes. Files in it are replaced as a
// whole, so readers need no lock; who changes a record holds the lock from reading
// to writing.
type store struct{ dir string }

// read returns a file's bytes, and none if there is no such file or more than max.
func (s store) read(name string, max int) ([]byte, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > int64(max) {
		return nil, err
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

// write replaces a file.
func (s store) write(name string, data []byte) error {
	return writeAtomically(filepath.Join(s.dir, name), data)
}

// used says that a file is of use, so that others are removed before it.
func (s store) used(name string) error {
	now := time.Now()
	return os.Chtimes(filepath.Join(s.dir, name), now, now)
}

// writeAtomically replaces a file, so that readers see the old or the new one.
func writeAtomically(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Chmod(0o644))
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// lockTimeout is how long a build waits for others that write to the record.
const lockTimeout = 5 * time.Second

// lock waits until nobody else holds the lock, and returns what ends it. The kernel
// takes it back from a process that dies.
func (s store) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockTimeout); ; time.Sleep(time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(end) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}

// recordFile is a record as it was read.
type recordFile struct {
	data   []byte
	record record.Record
}

// readRecord reads a record. One that is damaged or foreign is empty.
func (s store) readRecord(name string) (recordFile, error) {
	data, err := s.read(name+recordSuffix, record.MaxBytes)
	return recordFile{data: data, record: record.Decode(data)}, err
}

// changeRecord replaces a record by what change makes of it. before is what was
// read earlier; it saves decoding if the record is still the same.
func (s store) changeRecord(name string, before recordFile, change func(record.Record) record.Record) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	now, err := s.read(name+recordSuffix, record.MaxBytes)
	if err != nil {
		return err
	}
	rec := before.record
	if !bytes.Equal(now, before.data) {
		rec = record.Decode(now)
	}
	if err := s.write(name+recordSuffix, change(rec).Encode()); err != nil {
		return err
	}
	return s.clean()
}

// appendLog adds a build to the log beside a record.
func (s store) appendLog(name string, e record.LogEntry) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	log, err := s.readLog(name)
	if err != nil {
		return err
	}
	return s.write(name+logSuffix, record.AppendLog(log, e))
}

// readLog reads the log beside a record.
func (s store) readLog(name string) ([]byte, error) {
	return s.read(name+logSuffix, record.MaxLogBytes)
}

// readLedger reads the ledger. One that is damaged is empty.
func (s store) readLedger() (*record.Ledger, error) {
	data, err := s.read(ledgerName, record.MaxLedgerBytes)
	if err != nil {
		return &record.Ledger{}, err
	}
	return record.DecodeLedger(data)
}

// changeLedger replaces the ledger by what change makes of it.
func (s store) changeLedger(change func(*record.Ledger)) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	ledger, err := s.readLedger() // one that is damaged begins anew
	change(ledger)
	return cmp.Or(s.write(ledgerName, ledger.Encode()), err)
}

// staleTemp is after how long a temporary file is that of a process that died.
const staleTemp = time.Hour

// clean keeps the directory within its limits.
func (s store) clean() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case strings.HasSuffix(e.Name(), recordSuffix), strings.HasSuffix(e.Name(), logSuffix), strings.HasSuffix(e.Name(), indexSuffix):
			files = append(files, info)
		case strings.HasPrefix(e.Name(), tempPrefix) && time.Since(info.ModTime()) > staleTemp:
			os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	total := int64(0)
	for i, f := range files {
		if total += f.Size(); i >= MaxStoreFiles || total > MaxStoreBytes {
			if err := os.Remove(filepath.Join(s.dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

package oracle

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"
)

// Corpus is a txtar file of cases. A case NAME is the file NAME.Dockerfile, with
// its options in NAME.options (see Case.SetOptions), the context's .dockerignore
// in NAME.dockerignore, and what it converts to in NAME.want (see Outcome.Text).
type Corpus struct {
	Path  string
	Cases []*GoldenCase

	archive *txtar.Archive
}

// GoldenCase is a case with the outcome that is expected of it.
type GoldenCase struct {
	Case
	Want string
}

// ReadCorpora reads all corpora below a directory. A topic is a file, or a folder
// with a file for each group of its cases. It fails if there is none.
func ReadCorpora(dir string) ([]*Corpus, error) {
	var out []*Corpus
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".txtar" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		c, err := readCorpus(path, name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, c)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no corpus in %s", dir)
	}
	return out, err
}

// readCorpus reads one file, whose cases are called by the name of the corpus.
func readCorpus(path, called string) (*Corpus, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	out := &Corpus{Path: path, archive: archive}
	byName := map[string]*GoldenCase{}
	for _, f := range archive.Files {
		dot := strings.LastIndexByte(f.Name, '.')
		if dot < 0 {
			return nil, fmt.Errorf("%s: no such kind of file", f.Name)
		}
		name, kind := f.Name[:dot], f.Name[dot+1:]
		c := byName[name]
		if c == nil {
			c = &GoldenCase{Case: Case{Name: called + ": " + name}}
			byName[name] = c
			out.Cases = append(out.Cases, c)
		}
		switch kind {
		case "Dockerfile":
			c.Dockerfile = f.Data
		case "options":
			if err := c.SetOptions(string(f.Data)); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		case "dockerignore":
			c.Dockerignore = string(f.Data)
		case "want":
			c.Want = string(f.Data)
		default:
			return nil, fmt.Errorf("%s: no such kind of file", f.Name)
		}
	}
	return out, nil
}

// ShortName is the name of a case within its corpus.
func (c *GoldenCase) ShortName() string {
	_, name, _ := strings.Cut(c.Name, ": ")
	return name
}

// Update writes the corpus with new expectations, by the cases' short names.
func (c *Corpus) Update(want map[string]string) error {
	var files []txtar.File
	for i, f := range c.archive.Files {
		if !strings.HasSuffix(f.Name, ".want") {
			files = append(files, f)
		}
		name := f.Name[:strings.LastIndexByte(f.Name, '.')]
		last := i+1 == len(c.archive.Files) || !strings.HasPrefix(c.archive.Files[i+1].Name, name+".")
		if text, ok := want[name]; ok && last {
			files = append(files, txtar.File{Name: name + ".want", Data: []byte(text)})
		}
	}
	c.archive.Files = files
	return os.WriteFile(c.Path, txtar.Format(c.archive), 0o644)
}

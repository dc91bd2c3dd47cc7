package fields

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format's own digest
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

const composerDoc = "https://getcomposer.org/doc/04-schema.md#"

// composer is the preset of Composer.
var composer = preset{
	names: []string{"composer"},
	kinds: []fileKind{
		{names: []string{"composer.json"}, form: formJSON, drops: composerDrops},
		{names: []string{"composer.lock"}, form: formJSON},
		{names: []string{"symfony.lock", "auth.json"}, form: formWhole},
	},
	reduce: reduceComposer,
}

var composerDrops = []Drop{
	{Path: "version", Why: "of the project itself", Doc: composerDoc + "version"},
	{Path: "description", Why: "for searches", Doc: composerDoc + "description"},
	{Path: "keywords", Why: "for searches", Doc: composerDoc + "keywords"},
	{Path: "homepage", Why: "a link for people", Doc: composerDoc + "homepage"},
	{Path: "readme", Why: "for people", Doc: composerDoc + "readme"},
	{Path: "time", Why: "the release's date", Doc: composerDoc + "time"},
	{Path: "license", Why: "for people", Doc: composerDoc + "license"},
	{Path: "authors", Why: "for people", Doc: composerDoc + "authors"},
	{Path: "support", Why: "links for people", Doc: composerDoc + "support"},
	{Path: "funding", Why: "composer fund shows that of dependencies", Doc: composerDoc + "funding"},
	{Path: "archive", Why: "of the archive command", Doc: composerDoc + "archive"},
	{Path: "abandoned", Why: "a hint to who requires the package", Doc: composerDoc + "abandoned"},
	{Path: "scripts-descriptions", Why: "texts of the list command", Doc: "https://getcomposer.org/doc/articles/scripts.md#custom-descriptions"},
}

var composerKept = []Kept{
	{"autoload, scripts", "an install writes the class loader and runs scripts", composerDoc + "autoload"},
	{"extra, config", "plugins and scripts read them", composerDoc + "extra"},
	{"version, where self.version is asked for", "it stands for the version", "https://getcomposer.org/doc/articles/versions.md"},
	{"the order of what is inside a section", "the lock file's content-hash counts it", composerDoc + "repositories"},
}

func reduceComposer(_ fieldspec.Spec, docs []*document) {
	for _, d := range docs {
		if !d.isKind("composer.json") {
			continue
		}
		before := contentHash(d.root)
		self := usesSelfVersion(d.root)
		d.drop(d.root, func(path string) bool { return path == "version" && self })
		after := contentHash(d.root)
		d.root.sortKeys(false)
		for _, lock := range docs {
			// One that did not agree before is not made to agree.
			if lock.isKind("composer.lock") && path.Dir(lock.path) == d.dir() && lock.root.str("content-hash") == before {
				lock.root.set("content-hash", text(after))
			}
		}
	}
}

// usesSelfVersion reports whether a link to another package has the project's version.
func usesSelfVersion(root *node) bool {
	found := false
	for _, section := range []string{"require", "require-dev", "conflict", "replace", "provide"} {
		root.get(section).each(func(_ string, v *node) {
			s, _ := v.value.(string)
			found = found || strings.Contains(s, "self.version")
		})
	}
	return found
}

// hashed are the sections that content-hash covers. Source: Composer's Locker, where
// the hash is defined as the MD5 of these as PHP encodes them, sorted.
var hashed = []string{
	"conflict", "extra", "minimum-stability", "name", "prefer-stable", "provide", "replace", "repositories", "require", "require-dev", "version",
}

// contentHash returns the hash that a lock file holds of composer.json.
func contentHash(root *node) string {
	relevant := &node{kind: object}
	add := func(key string, v *node) {
		relevant.keys, relevant.items = append(relevant.keys, key), append(relevant.items, v)
	}
	for _, key := range hashed {
		if v := root.get(key); v != nil {
			add(key, v)
		}
	}
	if v := root.get("config", "platform"); v != nil {
		add("config", &node{kind: object, keys: []string{"platform"}, items: []*node{v}})
	}
	relevant.sortKeys(false)
	var b bytes.Buffer
	writePHP(&b, relevant)
	sum := md5.Sum(b.Bytes()) //nolint:gosec // the format's own digest
	return hex.EncodeToString(sum[:])
}

// writePHP appends a value as PHP's json_encode does: slashes and all beyond ASCII
// are escaped, and an empty object is an empty list.
func writePHP(b *bytes.Buffer, n *node) {
	n.open()
	opening, closing := byte('['), byte(']')
	switch {
	case n.kind == scalar:
		writePHPScalar(b, n)
		return
	case n.kind == object && len(n.items) > 0:
		opening, closing = '{', '}'
	}
	b.WriteByte(opening)
	for i, v := range n.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.kind == object {
			writePHPScalar(b, text(n.keys[i]))
			b.WriteByte(':')
		}
		writePHP(b, v)
	}
	b.WriteByte(closing)
}

func writePHPScalar(b *bytes.Buffer, n *node) {
	s, ok := n.value.(string)
	if !ok {
		writeScalar(b, n.value)
		return
	}
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '/':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r <= 0xffff && r != 0x7f:
			fmt.Fprintf(b, `\u%04x`, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

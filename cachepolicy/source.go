package cachepolicy

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/distribution/reference"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// SourceKind says what kind of thing an additional key input is.
type SourceKind string

// The kinds of sources that key takes.
const (
	SourceHTTP  SourceKind = "http"  // the content that a URL serves
	SourceGit   SourceKind = "git"   // the commit that a git reference resolves to
	SourceImage SourceKind = "image" // the manifest digest of an image reference
	SourceFile  SourceKind = "file"  // the content of files of the build context
	SourceArg   SourceKind = "arg"   // the value of a build argument
	SourceText  SourceKind = "text"  // a literal
)

const sourceForms = "where a source is https://…, a git reference, image://REF, file:PATH, arg:NAME or text:ANYTHING"

// Source is one additional input of a step's key. Two equal Sources are the same
// input.
type Source struct {
	Kind SourceKind
	// Ref is what to look at: the URL or git reference as written, the image
	// reference, the path or wildcard relative to the build context (slashes,
	// cleaned, "." for all of it), the argument's name, the literal.
	Ref string
}

// String returns the source as it is written in a directive, decoded.
func (s Source) String() string {
	switch s.Kind {
	case SourceHTTP, SourceGit:
		return s.Ref
	case SourceImage:
		return "image://" + s.Ref
	case SourceFile, SourceArg, SourceText:
	}
	return string(s.Kind) + ":" + s.Ref
}

// parseSource reads one source of key, decoded. It checks the form alone: that
// the thing is there is for the caller to find out, and so is whether git's own
// options after # or ? are right.
func parseSource(text string) (Source, *Error) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch {
	case IsGitRef(text):
		return parseURL(SourceGit, text)
	case strings.HasPrefix(rest, "//") && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")):
		return parseURL(SourceHTTP, text)
	case scheme == "image" && strings.HasPrefix(rest, "//"):
		return parseImage(strings.TrimPrefix(rest, "//"))
	case scheme == "file" && !strings.HasPrefix(rest, "//"):
		return parseFile(rest)
	case scheme == "arg" && !strings.HasPrefix(rest, "//"):
		return parseArg(rest)
	case scheme == "text" && rest != "":
		return Source{Kind: SourceText, Ref: rest}, nil
	}
	return Source{}, unknownSource(text, scheme, rest)
}

// unknownSource explains a text that is no source, with the form that its
// beginning suggests.
func unknownSource(text, scheme, rest string) *Error {
	e := &Error{Message: fmt.Sprintf("%q is not a source; a source is https://…, a git reference, image://REF, file:PATH, arg:NAME or text:ANYTHING", text)}
	rest = strings.TrimLeft(rest, "/")
	switch {
	case strings.Contains(text, ":") && rest == "":
		e.Message = fmt.Sprintf("%q names nothing", text)
	case scheme == "image" || scheme == "docker-image":
		e.Suggestion = "image://" + rest
	case scheme == "file" || scheme == "arg":
		e.Suggestion = scheme + ":" + rest
	case scheme == "env":
		e.Suggestion = "arg:" + rest
	case text == "":
	case !strings.Contains(text, ":"):
		e.Suggestion = "file:" + text
	default:
		if s := phrase.Nearest(scheme, []string{"https", "image", "file", "arg", "text", "git", "ssh"}); s != "" {
			sep := ":"
			if s == "https" || s == "image" || s == "git" || s == "ssh" {
				sep = "://"
			}
			e.Suggestion = s + sep + rest
		}
	}
	return e
}

func parseURL(kind SourceKind, text string) (Source, *Error) {
	if !strings.Contains(text, "://") { // user@host:path, checked by IsGitRef
		return Source{Kind: kind, Ref: text}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return Source{}, &Error{Message: fmt.Sprintf("%q is not a URL with a host", text)}
	}
	_, hasPassword := u.User.Password()
	if hasPassword || u.User != nil && u.Scheme != "ssh" {
		return Source{}, &Error{Message: fmt.Sprintf("the URL of host %s carries credentials, which everyone who reads the Dockerfile or the image's provenance would see; pass them as a build secret", u.Host)}
	}
	return Source{Kind: kind, Ref: text}, nil
}

func parseImage(ref string) (Source, *Error) {
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		return Source{}, &Error{Message: fmt.Sprintf("%q is not an image reference: %v", ref, err)}
	}
	return Source{Kind: SourceImage, Ref: ref}, nil
}

func parseFile(p string) (Source, *Error) {
	if p == "" {
		return Source{}, &Error{Message: "file: names nothing; write file:PATH, relative to the build context"}
	}
	for _, part := range strings.Split(p, "/") {
		if part == ".." {
			return Source{}, &Error{Message: fmt.Sprintf("file:%s leaves the build context; only files inside it can be watched", p)}
		}
	}
	if _, err := path.Match(p, ""); err != nil {
		return Source{}, &Error{Message: fmt.Sprintf("file:%s is not a wildcard: a [ is not closed", p)}
	}
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if clean == "" {
		clean = "."
	}
	return Source{Kind: SourceFile, Ref: clean}, nil
}

func parseArg(name string) (Source, *Error) {
	switch {
	case !validArgName(name):
		return Source{}, &Error{Message: fmt.Sprintf("%q is not the name of a build argument; write arg:NAME", name)}
	case strings.HasPrefix(name, argPrefix):
		return Source{}, &Error{Message: fmt.Sprintf("%s is read by the frontend and reaches no step", name)}
	}
	return Source{Kind: SourceArg, Ref: name}, nil
}

// IsGitRef reports whether ADD takes the text for a git reference: a URL with the
// scheme git or ssh, one with http or https whose path ends in .git, or
// user@host:path. Source: the Dockerfile reference, "Adding files from a Git
// repository"; the same choice as BuildKit's dfgitutil.
func IsGitRef(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	if ok && isAlphanumeric(scheme) {
		u, err := url.Parse(text)
		if err != nil {
			return false
		}
		switch u.Scheme {
		case "git", "ssh":
			return true
		case "http", "https":
			return strings.HasSuffix(u.Path, ".git")
		}
		return false
	}
	return isSCPStyle(text)
}

// isSCPStyle reports whether the text has the form user@host:path.
func isSCPStyle(text string) bool {
	user, rest, ok := strings.Cut(text, "@")
	if !ok || user == "" || strings.Trim(user, alphanumeric+"-_") != "" || strings.ContainsRune(rest, '\n') {
		return false
	}
	host, rest, ok := strings.Cut(rest, ":")
	if !ok || host == "" || strings.Trim(host, alphanumeric+"-.") != "" {
		return false
	}
	// The query is what follows the first ?, up to a #.
	rest, _, _ = strings.Cut(rest, "#")
	_, query, _ := strings.Cut(rest, "?")
	_, err := url.ParseQuery(query)
	return err == nil
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func isAlphanumeric(s string) bool { return s != "" && strings.Trim(s, alphanumeric) == "" }

package advice

import (
	"github.com/aymanbagabas/go-udiff"
)

// patch returns a unified diff that leads from a situation to the next.
func (s *situation) patch(next *situation) string {
	p := s.project
	return diff(p.Dockerfile.Path, false, s.dockerfile, next.dockerfile) +
		diff(p.Ignore.Path, p.Ignore.Missing && s.ignore == "", s.ignore, next.ignore)
}

func diff(path string, created bool, old, now string) string {
	from := "a/" + path
	if created {
		from = "/dev/null"
	}
	return udiff.Unified(from, "b/"+path, old, now)
}

package fields_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// pythonManagers returns poetry and pdm.
func pythonManagers(t *testing.T) []*manager {
	t.Helper()
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"poetry": "python3-poetry python3-trove-classifiers", "pdm": "python3-pdm"}); err != nil {
		t.Fatal(err)
	}
	url := pythonIndex(t)
	poetry := &manager{
		name: "poetry", preset: "poetry", copied: []string{"pyproject.toml", "poetry.lock"}, lockFile: "poetry.lock",
		project: tree{"pyproject.toml": `[tool.poetry]
name = "app"
version = "1.0.0"
description = "an app"
authors = ["A <a@example.org>"]
[tool.poetry.dependencies]
python = ">=3.9"
left = "1.0.0"
[tool.poetry.group.dev.dependencies]
right = "^1.0.0"
[[tool.poetry.source]]
name = "served"
url = "` + url + `"
default = true
[tool.black]
line-length = 100
`},
		env:  []string{"POETRY_VIRTUALENVS_IN_PROJECT=true", "POETRY_VIRTUALENVS_OPTIONS_NO_PIP=true", "POETRY_VIRTUALENVS_OPTIONS_NO_SETUPTOOLS=true", "PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring"},
		lock: command{"poetry", "lock", "--no-update", "-n"}, install: command{"poetry", "install", "--no-root", "-n"},
		alsoAccepts: []command{{"poetry", "check"}, {"poetry", "lock", "--check"}},
		warns:       "poetry.lock is not consistent with pyproject.toml",
		installed:   []string{".venv/lib/python3*/site-packages"},
		release: []edit{
			{"pyproject.toml", `version = "1.0.0"`, `version = "1.1.0"`}, {"pyproject.toml", "an app", "the app"}, {"pyproject.toml", "line-length = 100", "line-length = 80"},
		},
		raise:  edit{"pyproject.toml", `left = "1.0.0"`, `left = "1.1.0"`},
		reason: "pyproject.toml: tool.poetry.dependencies.left 1.0.0 → 1.1.0",
	}
	pdm := &manager{
		name: "pdm", preset: "pdm", copied: []string{"pyproject.toml", "pdm.lock"}, lockFile: "pdm.lock",
		project: tree{"pyproject.toml": `[project]
name = "app"
version = "1.0.0"
description = "an app"
requires-python = ">=3.9"
dependencies = ["left==1.0.0", "right>=1.0.0,<2"]
[[tool.pdm.source]]
name = "pypi"
url = "` + url + `"
[tool.ruff]
line-length = 100
`},
		env:  []string{"PDM_CHECK_UPDATE=0"},
		lock: command{"pdm", "lock"}, install: command{"pdm", "install", "--check", "--no-self"},
		installed: []string{".venv/lib/python3*/site-packages"},
		release: []edit{
			{"pyproject.toml", `version = "1.0.0"`, `version = "1.1.0"`}, {"pyproject.toml", "an app", "the app"}, {"pyproject.toml", "line-length = 100", "line-length = 80"},
		},
		raise:  edit{"pyproject.toml", "left==1.0.0", "left==1.1.0"},
		reason: "pyproject.toml: project.dependencies",
	}
	return []*manager{poetry, pdm}
}

package main

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// unknown is SPDX's word for what nobody looked for.
const unknown = "NOASSERTION"

// sbom is an SPDX document in the making.
type sbom struct {
	doc *spdx.Document
	ids map[debug.Module]spdx.ElementID
}

// document describes programs in a filesystem called name: a file for each
// program, a package for each module, and which was made from which.
func document(name string, programs []program, created time.Time) *spdx.Document {
	b := &sbom{ids: map[debug.Module]spdx.ElementID{}, doc: &spdx.Document{
		SPDXVersion:    spdx.Version,
		DataLicense:    spdx.DataLicense,
		SPDXIdentifier: "DOCUMENT",
		DocumentName:   name,
		CreationInfo: &spdx.CreationInfo{
			Creators: []spdx.Creator{{CreatorType: "Tool", Creator: "cachewright-gosbom"}},
			Created:  created.UTC().Format(time.RFC3339),
		},
	}}
	content := sha256.New()
	for n, p := range programs {
		fmt.Fprintln(content, p.sha256, p.path)
		b.addProgram(spdx.ElementID(fmt.Sprintf("File-%d", n+1)), p)
	}
	b.doc.DocumentNamespace = fmt.Sprintf("https://github.com/cachewright/cachewright/gosbom/%s-%x", name, content.Sum(nil))
	return b.doc
}

// addProgram adds a program with the modules and the standard library in it.
func (b *sbom) addProgram(id spdx.ElementID, p program) {
	b.doc.Files = append(b.doc.Files, &spdx.File{
		FileName:           "/" + p.path,
		FileSPDXIdentifier: id,
		FileTypes:          []string{"BINARY"},
		Checksums:          []spdx.Checksum{{Algorithm: spdx.SHA1, Value: p.sha1}, {Algorithm: spdx.SHA256, Value: p.sha256}},
		FileCopyrightText:  unknown,
	})
	own := b.module(p.info.Main)
	b.relate("DOCUMENT", spdx.RelationshipDescribes, id)
	b.relate(id, spdx.RelationshipGeneratedFrom, own)
	b.relate(own, spdx.RelationshipDependsOn, b.module(debug.Module{
		Path: "stdlib", Version: strings.TrimPrefix(p.info.GoVersion, "go"),
	}))
	for _, dep := range p.info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		b.relate(own, spdx.RelationshipDependsOn, b.module(*dep))
	}
}

// module returns the package of a module, which it adds when it is new. A module
// that was compiled where it is developed has no version.
func (b *sbom) module(m debug.Module) spdx.ElementID {
	m = debug.Module{Path: m.Path, Version: strings.TrimPrefix(m.Version, "(devel)")}
	if id, ok := b.ids[m]; ok {
		return id
	}
	id := spdx.ElementID(fmt.Sprintf("Package-%d", len(b.ids)+1))
	b.ids[m] = id
	locator := "pkg:golang/" + m.Path
	if m.Version != "" {
		locator += "@" + url.QueryEscape(m.Version)
	}
	b.doc.Packages = append(b.doc.Packages, &spdx.Package{
		PackageName:             m.Path,
		PackageSPDXIdentifier:   id,
		PackageVersion:          m.Version,
		PackageDownloadLocation: unknown,
		PackageExternalReferences: []*spdx.PackageExternalReference{{
			Category: spdx.CategoryPackageManager, RefType: spdx.PackageManagerPURL, Locator: locator,
		}},
	})
	return id
}

func (b *sbom) relate(a spdx.ElementID, kind string, to spdx.ElementID) {
	b.doc.Relationships = append(b.doc.Relationships, &spdx.Relationship{
		RefA:         common.MakeDocElementID("", string(a)),
		Relationship: kind,
		RefB:         common.MakeDocElementID("", string(to)),
	})
}

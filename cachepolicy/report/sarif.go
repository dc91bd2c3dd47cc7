package report

import (
	"encoding/json"
	"net/url"
)

// The parts of a SARIF 2.1.0 log that findings need, with SARIF's own names.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     Level           `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
		EndLine   int `json:"endLine"`
	}
)

// sarif prints findings as a SARIF log, in both forms of the answer.
func sarif(r *Report) (*Answer, error) {
	log := r.sarifLog()
	text, err := json.MarshalIndent(log, "", "  ")
	if err != nil {
		return nil, err
	}
	return &Answer{Text: string(text) + "\n", Value: log}, nil
}

func (r *Report) sarifLog() sarifLog {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "Cachewright", InformationURI: "https://github.com/cachewright/cachewright"}
	index := map[FindingRule]int{}
	for i, f := range findingRules {
		index[f.rule] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: string(f.rule), ShortDescription: sarifMessage{f.about}})
	}
	file := sarifArtifact{URI: (&url.URL{Path: r.Path}).String()}
	for _, f := range r.findings() {
		at := sarifPhysical{ArtifactLocation: file}
		if f.Line > 0 {
			at.Region = &sarifRegion{StartLine: f.Line, EndLine: f.EndLine}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: string(f.Rule), RuleIndex: index[f.Rule], Level: f.Level,
			Message: sarifMessage{f.Message}, Locations: []sarifLocation{{at}},
		})
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

package secret

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// form is a form that secrets have.
type form struct {
	// hints are texts of which one is in everything that has the form, in lower case.
	// They are looked for first: expressions are slow.
	hints []string
	// pattern matches the form; its group is the secret, or else all of it is.
	pattern string
	compile func() *regexp.Regexp
}

// forms are the forms that are looked for. The prefixes of tokens are those that
// their issuers document so that scanners find them.
var forms = []*form{
	// What a text says is a secret.
	{hints: []string{"-----begin"}, pattern: `(?s)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)`},
	{hints: []string{"://"}, pattern: `(?i)\bhttps?://([^/?#\s"'@$]+)@`},                          // RFC 3986, 3.2.1: for HTTP, a user alone is often a token
	{hints: []string{"://"}, pattern: `\b[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#\s"':@]*:([^\s"'/?#]+)@`}, // any scheme with a password
	{hints: []string{"password", "passwd", "pwd", "secret", "accountkey", "sharedaccesskey", "api_key", "apikey", "access_token", "token"},
		pattern: `(?i)(?:\b|_|-)(?:password|passwd|pwd|client_?secret|secret|accountkey|sharedaccesskey|api_?key|access_?token|auth_?token|token)=["']?([^\s"'&;,$]{3,})`}, // JDBC, MSSQL, Azure, query strings, flags
	{hints: []string{"--password", "--passwd", "--token", "--secret"}, pattern: `(?i)\s--(?:password|passwd|token|secret)\s+["']?([^\s"'$-][^\s"']{2,})`},
	{hints: []string{"authorization", "x-api-key", "private-token"}, pattern: `(?i)(?:authorization|x-api-key|private-token)["']?\s*[:=]\s*["']?((?:basic|bearer|token)\s+[^\s"'$]{6,}|[^\s"'$]{12,})`}, // RFC 7235
	{hints: []string{"-u ", "-u=", "-u'", "-u\"", "--user"}, pattern: `(?:^|\s)(?:-u|--user)[\s=]*["']?([^\s"':/$]+:[^\s"'$]{3,})`},                                                                     // curl(1)

	// Tokens. Sources: the issuers' documentation of token formats.
	{hints: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, pattern: `\bgh[pousr]_[A-Za-z0-9]{16,}`}, // GitHub
	{hints: []string{"github_pat_"}, pattern: `\bgithub_pat_[A-Za-z0-9_]{20,}`},
	{hints: []string{"glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-"}, pattern: `\bgl(?:pat|dt|rt|ptt|cbt|soat|ft)-[A-Za-z0-9_.-]{16,}`}, // GitLab
	{hints: []string{"akia", "asia", "abia", "acca"}, pattern: `\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`},                                                   // AWS, IAM identifiers
	{hints: []string{"xox", "xapp-", "xwfp-"}, pattern: `\b(?:xox[abeoprs]|xapp|xwfp)-[A-Za-z0-9-]{10,}`},                                                   // Slack
	{hints: []string{"hooks.slack.com"}, pattern: `hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9+/]{20,})`},
	{hints: []string{"discord"}, pattern: `discord(?:app)?\.com/api/webhooks/([0-9]+/[A-Za-z0-9_-]{20,})`},
	{hints: []string{"npm_"}, pattern: `\bnpm_[A-Za-z0-9]{30,}`},
	{hints: []string{"pypi-"}, pattern: `\bpypi-[A-Za-z0-9_-]{30,}`},
	{hints: []string{"rubygems_"}, pattern: `\brubygems_[a-f0-9]{40,}`},
	{hints: []string{"dckr_pat_", "dckr_oat_"}, pattern: `\bdckr_[po]at_[A-Za-z0-9_-]{20,}`},                                                 // Docker Hub
	{hints: []string{"sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"}, pattern: `\b(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}`}, // Stripe
	{hints: []string{"sk-"}, pattern: `\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}`},                                                     // OpenAI, Anthropic
	{hints: []string{"aiza"}, pattern: `\bAIza[A-Za-z0-9_-]{35}`},                                                                            // Google
	{hints: []string{"ya29."}, pattern: `\bya29\.[A-Za-z0-9_-]{20,}`},
	{hints: []string{"eyj"}, pattern: `\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`},           // RFC 7519
	{hints: []string{"sg."}, pattern: `\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`},                           // SendGrid
	{hints: []string{"hf_"}, pattern: `\bhf_[A-Za-z]{30,}`},                                                     // Hugging Face
	{hints: []string{"dop_v1_", "doo_v1_", "dor_v1_"}, pattern: `\bdo[opr]_v1_[a-f0-9]{60,}`},                   // DigitalOcean
	{hints: []string{"shpat_", "shpca_", "shppa_", "shpss_"}, pattern: `\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{30,}`}, // Shopify
	{hints: []string{"hvs.", "hvb.", "hvr."}, pattern: `\bhv[sbr]\.[A-Za-z0-9_-]{20,}`},                         // Vault
	{hints: []string{"age-secret-key-1"}, pattern: `(?i)\bAGE-SECRET-KEY-1[A-Z0-9]{50,}`},
	{hints: []string{"atatt3", "atctt3"}, pattern: `\bAT[AC]TT3[A-Za-z0-9_=-]{20,}`}, // Atlassian
	{hints: []string{"sntrys_", "sntryu_"}, pattern: `\bsntry[su]_[A-Za-z0-9+/=_-]{30,}`},
	{hints: []string{"pscale_"}, pattern: `\bpscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.-]{20,}`},
	{hints: []string{"ops_eyj"}, pattern: `\bops_eyJ[A-Za-z0-9+/=_-]{50,}`}, // 1Password
	{hints: []string{"lin_api_"}, pattern: `\blin_api_[A-Za-z0-9]{30,}`},
	{hints: []string{"pmak-"}, pattern: `\bPMAK-[a-f0-9]{20,}-[a-f0-9]{20,}`}, // Postman
	{hints: []string{"pat-"}, pattern: `\bpat-(?:na|eu)1-[a-f0-9-]{30,}`},     // HubSpot
	{hints: []string{"nrak-"}, pattern: `\bNRAK-[A-Z0-9]{20,}`},               // New Relic
	{hints: []string{"figd_"}, pattern: `\bfigd_[A-Za-z0-9_-]{30,}`},
	{hints: []string{"cio"}, pattern: `\bCIO[A-Za-z0-9]{38,}`}, // Cargo
}

func init() {
	for _, f := range forms {
		f.compile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(f.pattern) })
	}
}

// shortest is how many bytes a text has at least that has one of the forms.
const shortest = 8

// span is a part of a text, from and to which byte.
type span struct{ from, to int }

// spans returns the parts of a text that have one of the forms. With first, it ends
// with the first that it finds.
func spans(text string, first bool) []span {
	if len(text) < shortest {
		return nil
	}
	lower := strings.ToLower(text)
	var out []span
	for _, f := range forms {
		if !slices.ContainsFunc(f.hints, func(h string) bool { return strings.Contains(lower, h) }) {
			continue
		}
		for _, m := range f.compile().FindAllStringSubmatchIndex(text, -1) {
			s := span{m[0], m[1]}
			if len(m) > 2 && m[2] >= 0 {
				s = span{m[2], m[3]}
			}
			if text[s.from:s.to] == Hidden || text[s.from:s.to] == "git" {
				continue
			}
			if out = append(out, s); first {
				return out
			}
		}
	}
	return out
}

// Found reports whether a text holds something that has the form of a secret.
func Found(text string) bool { return len(spans(text, true)) > 0 }

// Mask returns a text with Hidden in the place of each part that has the form of a
// secret, and reports whether there was one.
func Mask(text string) (string, bool) {
	found := spans(text, false)
	if len(found) == 0 {
		return text, false
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, s := range found {
		if s.from > at || at == 0 {
			b.WriteString(text[at:max(at, s.from)])
			b.WriteString(Hidden)
		}
		at = max(at, s.to)
	}
	b.WriteString(text[at:])
	return b.String(), true
}

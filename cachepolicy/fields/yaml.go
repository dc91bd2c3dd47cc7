package fields

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is how deep a YAML file's values may be nested.
const maxDepth = 1000

// parseYAML reads a YAML file of one document. Aliases are replaced by what they
// name.
func parseYAML(data []byte) (*node, error) {
	file, err := parser.ParseBytes(data, 0)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Token != nil:
		return nil, &Error{Line: syntax.Token.Position.Line, Message: "no valid YAML: " + syntax.Message}
	case err != nil:
		return nil, &Error{Message: "no valid YAML: " + err.Error()}
	}
	r := yamlReader{anchors: map[string]ast.Node{}, left: 10*len(data) + 1000}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			return nil, &Error{Line: doc.Body.GetToken().Position.Line, Message: "a second document; only files of one have fields"}
		}
		root = doc.Body
	}
	if root == nil {
		return &node{kind: object, plain: map[string]bool{}}, nil
	}
	return r.node(root, 0)
}

type yamlReader struct {
	anchors map[string]ast.Node
	left    int // how many nodes may still come: aliases multiply
}

func (r *yamlReader) node(n ast.Node, depth int) (*node, error) {
	if n == nil {
		return &node{value: literal("null")}, nil
	}
	if r.left--; r.left < 0 || depth > maxDepth {
		return nil, yamlError(n, "aliases or levels without end")
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.mapping(n.Values, depth)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := &node{kind: list}
		for _, v := range n.Values {
			item, err := r.node(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	case *ast.AnchorNode:
		r.anchors[n.Name.GetToken().Value] = n.Value
		return r.node(n.Value, depth+1)
	case *ast.AliasNode:
		v, ok := r.anchors[n.Value.GetToken().Value]
		if !ok {
			return nil, yamlError(n, "an alias of nothing")
		}
		return r.node(v, depth+1)
	case *ast.TagNode:
		return nil, yamlError(n, "tags are not supported")
	case *ast.NullNode:
		return &node{value: literal("null")}, nil
	case *ast.LiteralNode:
		return text(n.Value.Value), nil
	case *ast.StringNode:
		return yamlScalar(n.Token, n.Value), nil
	default:
		return yamlScalar(n.GetToken(), n.GetToken().Value), nil
	}
}

func (r *yamlReader) mapping(values []*ast.MappingValueNode, depth int) (*node, error) {
	out := &node{kind: object, plain: map[string]bool{}}
	for _, v := range values {
		key, err := r.node(v.Key, depth+1)
		if err != nil {
			return nil, err
		}
		if key.kind != scalar {
			return nil, yamlError(v, "a key that is no text")
		}
		name := fmt.Sprint(key.value)
		_, out.plain[name] = key.value.(literal)
		item, err := r.node(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		out.keys, out.items = append(out.keys, name), append(out.items, item)
	}
	return out, nil
}

// plainYAML is a text that reads the same wherever it stands without quotes.
var plainYAML = regexp.MustCompile(`^([A-Za-z0-9_.+~<]|-[A-Za-z0-9_.])([A-Za-z0-9_.+~<-]|:[A-Za-z0-9]| [A-Za-z0-9])*$`)

// yamlScalar returns a scalar. One without quotes stays so, since readers differ
// about which of them are texts.
func yamlScalar(t *token.Token, value string) *node {
	quoted := t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType
	if !quoted && plainYAML.MatchString(t.Value) {
		return &node{value: literal(t.Value)}
	}
	return text(value)
}

func yamlError(n ast.Node, message string) *Error {
	return &Error{Line: n.GetToken().Position.Line, Message: message}
}

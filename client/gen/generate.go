package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"slices"
	"strings"

	"rideshare/functions/apidoc"
)

// generate returns the source.
func generate() ([]byte, error) {
	text, err := apidoc.Document("")
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	g := &generator{}
	g.printf("// Code generated from the API's document by rideshare/client/gen. DO NOT EDIT.\n\npackage client\n\n" +
		"import (\n\"context\"\n\"io\"\n\"net/url\"\n\"time\"\n)\n\n")
	for _, name := range sorted(d.Components.Schemas) {
		if err := g.schema(name, d.Components.Schemas[name]); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
	}
	for _, path := range sorted(d.Paths) {
		for _, method := range sorted(d.Paths[path]) {
			if err := g.operation(strings.ToUpper(method), path, d.Paths[path][method]); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return format.Source(g.out.Bytes())
}

type generator struct{ out bytes.Buffer }

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.out, format, args...) }

func (g *generator) schema(name string, s *schema) error {
	if len(s.Properties) == 0 {
		return nil // {}, for which nobody needs a type
	}
	g.printf("// %s is a schema of the API.\ntype %s struct {\n", name, name)
	for _, property := range sorted(s.Properties) {
		p := s.Properties[property]
		required := slices.Contains(s.Required, property)
		t, err := p.fieldType(required)
		if err != nil {
			return err
		}
		tag := property
		if !required {
			tag += ",omitempty"
		}
		if p.Description != "" {
			g.printf("// %s\n", p.Description)
		}
		g.printf("%s %s `json:%q`\n", exported(property), t, tag)
	}
	g.printf("}\n\n")
	return nil
}

// operation writes the method of an operation: its path parameters, the body and the query become
// arguments, in this order; what it answers with is the result.
func (g *generator) operation(method, path string, o *operation) error {
	name := exported(o.OperationID)
	target, args, flags := fmt.Sprintf("%q", path), "ctx context.Context", ""
	var query []parameter
	retry := method == "GET" || method == "PUT"
	for _, p := range o.Parameters {
		switch {
		case p.In == "path":
			argument := unexported(p.Name)
			args += ", " + argument + " string"
			target = strings.Replace(target, "{"+p.Name+"}", `" + url.PathEscape(`+argument+`) + "`, 1)
		case p.In == "query":
			query = append(query, p)
		case p.Name == "Idempotency-Key":
			flags, retry = flags+", key: true", true
		case p.Name == "Consistency-Token":
			flags, retry = flags+", token: true", true
		}
	}
	call := fmt.Sprintf("call{method: %q, path: %s%s", method, strings.TrimSuffix(target, ` + ""`), flags)
	if retry {
		call += ", retry: true"
	}
	if o.RequestBody != nil {
		t, err := o.RequestBody.Content["application/json"].Schema.goType()
		if err != nil {
			return err
		}
		args += ", body " + t
		call += ", body: body"
	}
	if len(query) > 0 {
		if err := g.query(name+"Query", query); err != nil {
			return err
		}
		args += ", query " + name + "Query"
		call += ", query: query.values()"
	}
	return g.method(name, args, call+"}", o)
}

func (g *generator) method(name, args, call string, o *operation) error {
	result, stream, empty, err := o.result()
	if err != nil {
		return err
	}
	g.printf("// %s: %s\n", name, strings.TrimSuffix(o.Summary, "."))
	if empty {
		g.printf("// The result is nil where there is nothing.\n")
	}
	head := fmt.Sprintf("func (c *Client) %s(%s)", name, args)
	switch {
	case stream:
		g.printf("//\n// The caller closes what it gets.\n%s (io.ReadCloser, error) {\nreturn c.stream(ctx, %s)\n}\n\n", head, call)
	case result == "":
		g.printf("%s error {\nreturn c.do(ctx, %s, nil)\n}\n\n", head, call)
	case strings.HasPrefix(result, "[]"):
		g.printf("%s (%s, error) {\nvar out %s\nerr := c.do(ctx, %s, &out)\nreturn out, err\n}\n\n", head, result, result, call)
	default:
		g.printf("%s (*%s, error) {\nvar out *%s\nerr := c.do(ctx, %s, &out)\nreturn out, err\n}\n\n", head, result, result, call)
	}
	return nil
}

// result returns the type of the answer, "" for none; whether it is a stream; and whether there may
// be nothing.
func (o *operation) result() (t string, stream, empty bool, err error) {
	for _, code := range sorted(o.Responses) {
		if code == "204" {
			empty = true
		}
		if code[0] != '2' {
			continue
		}
		for mediaType, m := range o.Responses[code].Content {
			if m.Schema.Format == "binary" || mediaType == "text/event-stream" {
				return "", true, false, nil
			}
			if t, err = m.Schema.goType(); err != nil {
				return "", false, false, err
			}
		}
	}
	if t == "Empty" {
		t = ""
	}
	return t, false, empty, nil
}

func (g *generator) query(name string, parameters []parameter) error {
	g.printf("// %s are the parameters of the operation in the URL.\ntype %s struct {\n", name, name)
	for _, p := range parameters {
		t, err := p.Schema.goType()
		if err != nil {
			return err
		}
		if !p.Required {
			g.printf("// Left out where it is zero.\n")
		}
		g.printf("%s %s\n", exported(p.Name), t)
	}
	g.printf("}\n\nfunc (q %s) values() url.Values {\nv := url.Values{}\n", name)
	for _, p := range parameters {
		g.printf("set(v, %q, q.%s, %t)\n", p.Name, exported(p.Name), p.Required)
	}
	g.printf("return v\n}\n\n")
	return nil
}

package openapitest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// path is a path of the document, and its operations by their methods.
type path struct {
	segments   []string
	operations map[string]map[int]answer
}

// answer is what an operation may answer with a status: the schemas of bodies by their media types,
// nil where a body is no JSON. No media type: there is no body.
type answer map[string]*jsonschema.Schema

func (d *Document) readPaths() ([]path, error) {
	var all []path
	items := child(d.root, "paths")
	for _, template := range slices.Sorted(maps.Keys(items)) {
		p := path{segments: strings.Split(template, "/"), operations: map[string]map[int]answer{}}
		item := child(items, template)
		for method := range item {
			pointer := "/paths/" + escape(template) + "/" + method + "/responses"
			answers, err := d.readAnswers(child(child(item, method), "responses"), pointer)
			if err != nil {
				return nil, err
			}
			p.operations[strings.ToUpper(method)] = answers
		}
		all = append(all, p)
	}
	// Of two paths that fit, the one with fewer parameters counts.
	slices.SortStableFunc(all, func(a, b path) int { return a.parameters() - b.parameters() })
	return all, nil
}

func (d *Document) readAnswers(responses object, pointer string) (map[int]answer, error) {
	answers := map[int]answer{}
	for code := range responses {
		status, err := strconv.Atoi(code)
		if err != nil {
			return nil, fmt.Errorf("openapitest: %s: %q is no status", pointer, code)
		}
		response, at := d.resolve(child(responses, code), pointer+"/"+code)
		if text(response["description"]) == "" {
			return nil, fmt.Errorf("openapitest: %s has no description", at)
		}
		answers[status] = answer{}
		for mediaType := range child(response, "content") {
			answers[status][mediaType] = nil
			if !strings.HasSuffix(mediaType, "json") || strings.HasSuffix(mediaType, "ndjson") {
				continue
			}
			if answers[status][mediaType], err = d.schema(at + "/content/" + escape(mediaType) + "/schema"); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// Statuses returns the statuses of every operation, ascending, by its method and path: "GET /rides/{id}".
func (d *Document) Statuses() map[string][]int {
	all := map[string][]int{}
	for _, p := range d.paths {
		for method, answers := range p.operations {
			all[method+" "+strings.Join(p.segments, "/")] = slices.Sorted(maps.Keys(answers))
		}
	}
	return all
}

// CheckAnswer checks an answer of the system that the document describes: its status has to be one
// of the operation, and its body has to fit the schema of that answer. Where the document has no such
// operation, the status has to be one of the answers that its components list, which are common to all
// paths. The target is a path as it is sent, with or without a query.
func (d *Document) CheckAnswer(method, target string, status int, header http.Header, body []byte) error {
	answers, found := d.operation(method, target)
	if answers == nil {
		answers = d.common
		if found && status == http.StatusNotFound || !found && status == http.StatusMethodNotAllowed {
			return fmt.Errorf("%s %s is no operation and was answered with %d; the path is in the document: %t", method, target, status, found)
		}
	}
	documented, ok := answers[status]
	if !ok {
		return fmt.Errorf("the document has no answer %d to %s %s, but %v", status, method, target, slices.Sorted(maps.Keys(answers)))
	}
	if method == http.MethodHead || len(body) == 0 && len(documented) == 0 {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	schema, ok := documented[mediaType]
	if err != nil || !ok {
		return fmt.Errorf("the answer %d to %s %s has a body of %q, the document has %v", status, method, target,
			header.Get("Content-Type"), slices.Sorted(maps.Keys(documented)))
	}
	if schema == nil {
		return nil
	}
	if err := checkJSON(schema, body); err != nil {
		return fmt.Errorf("the answer %d to %s %s: %w", status, method, target, err)
	}
	return nil
}

func checkJSON(schema *jsonschema.Schema, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return errors.Join(errors.New("the body is no JSON"), err)
	}
	return schema.Validate(value)
}

// operation returns the answers of the operation that a request is for, nil where there is none, and
// whether the document has its path. HEAD is a GET without a body.
func (d *Document) operation(method, target string) (_ map[int]answer, found bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, false
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for _, p := range d.paths {
		if p.fits(segments) {
			return p.operations[method], true
		}
	}
	return nil, false
}

func (p path) parameters() (n int) {
	for _, s := range p.segments {
		if strings.HasPrefix(s, "{") {
			n++
		}
	}
	return n
}

func (p path) fits(segments []string) bool {
	return slices.EqualFunc(p.segments, segments, func(template, segment string) bool {
		return template == segment || strings.HasPrefix(template, "{") && segment != "" && segment != "." && segment != ".."
	})
}

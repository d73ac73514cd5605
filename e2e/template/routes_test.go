package template

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rideshare/functions/apidoc"
	"rideshare/functions/orchestrator"
	"rideshare/functions/rides"
	"rideshare/functions/users"
	"rideshare/functions/web"
	"rideshare/internal/httpapi"
)

// parameter is a segment of a path that stands for any other. API Gateway's {proxy+} is several: so the
// function gets a path that it does not know, too, and answers as everywhere.
// parameter is the first parameter of a path and what follows: a greedy variable takes it all, an
// encoded slash included.
var parameter = regexp.MustCompile(`\{.*`)

// operations returns the paths of a function's operations, as routes, without those that every
// function has.
func operations(register func(*httpapi.API)) []string {
	api := httpapi.New(httpapi.Options{Title: "test", Version: "1"})
	common := slices.Collect(maps.Keys(api.OpenAPI().Paths))
	register(api)
	var routes []string
	for path := range api.OpenAPI().Paths {
		if !slices.Contains(common, path) {
			routes = append(routes, parameter.ReplaceAllString(path, "{proxy+}"))
		}
	}
	slices.Sort(routes)
	return slices.Compact(routes)
}

// everywhere returns the paths that every API has.
func everywhere(t *testing.T) []string {
	t.Helper()
	documents, err := apidoc.New("1")
	if err != nil {
		t.Fatal(err)
	}
	routes := []string{"/metrics"}
	for path := range httpapi.New(httpapi.Options{Title: "test", Version: "1"}).OpenAPI().Paths {
		routes = append(routes, path)
	}
	for pattern := range documents {
		routes = append(routes, strings.TrimPrefix(pattern, http.MethodGet+" "))
	}
	return routes
}

// pages returns the routes of a page and of its files.
func pages(t *testing.T, page string) []string {
	t.Helper()
	handlers, err := web.Handlers()
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range handlers {
		path := strings.TrimSuffix(strings.TrimPrefix(pattern, http.MethodGet+" "), "{$}")
		if path != "/" && path != "/app" && !strings.HasPrefix(path, "/web/") {
			t.Errorf("%s is served, and no route is expected for it", path)
		}
	}
	return []string{page, "/web/{proxy+}"}
}

func TestRoutesAreTheOperations(t *testing.T) {
	common := everywhere(t)
	want := map[string][]string{
		"PublicApi UsersFunction": operations(func(api *httpapi.API) { users.Register(api, users.Config{}) }),
		"PublicApi RidesFunction": slices.Concat(
			operations(func(api *httpapi.API) { rides.Register(api, rides.Config{}) }), common, pages(t, "/app")),
		"OrchestratorApi OrchestratorFunction": slices.Concat(
			operations(func(api *httpapi.API) { orchestrator.Register(api, orchestrator.Config{}) }), common, pages(t, "/")),
	}
	got := map[string][]string{}
	template := load(t, functionsFile)
	for name, function := range resources(template, "AWS::Serverless::Function") {
		for event, e := range at(function, "Events") {
			properties := at(e, "Properties")
			path, _ := properties["Path"].(string)
			// A method that a path does not have is a 405 of the function.
			if get(e, "Type") != "HttpApi" || properties["Method"] != "ANY" || path == "" {
				t.Errorf("%s.%s is no route of every method: %v", name, event, e)
			}
			api, _ := get(properties, "ApiId", "Ref").(string)
			got[api+" "+name] = append(got[api+" "+name], path)
		}
	}
	for key := range want {
		if slices.Sort(want[key]); len(want[key]) < 3 {
			t.Errorf("%s: only %v", key, want[key])
		}
	}
	for key := range got {
		slices.Sort(got[key])
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the routes are\n%v\nand the operations\n%v", got, want)
	}
	for name, api := range resources(template, "AWS::Serverless::HttpApi") {
		if api["StageName"] != "$default" {
			t.Errorf("%s has the stage %v", name, api["StageName"])
		}
	}
}

// TestDocumentedPathsAreRouted goes by the document that callers get, which knows nothing of functions.
func TestDocumentedPathsAreRouted(t *testing.T) {
	var routes []string
	for _, function := range resources(load(t, functionsFile), "AWS::Serverless::Function") {
		for _, e := range at(function, "Events") {
			path, _ := get(e, "Properties", "Path").(string)
			routes = append(routes, path)
		}
	}
	document, err := apidoc.Document("1")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parse(document) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	paths := at(parsed, "paths")
	if len(paths) < 15 {
		t.Errorf("the document has only %d paths", len(paths))
	}
	for path := range paths {
		if !slices.Contains(routes, parameter.ReplaceAllString(path, "{proxy+}")) {
			t.Errorf("%s is documented and has no route", path)
		}
	}
}

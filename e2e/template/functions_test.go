package template

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// programs are the functions, and their folders in cmd.
var programs = map[string]string{
	"UsersFunction": "users", "RidesFunction": "rides", "OrchestratorFunction": "orchestrator",
}

func TestFunctionsAreBuilt(t *testing.T) {
	template := load(t, functionsFile)
	functions := resources(template, "AWS::Serverless::Function")
	if got, want := slices.Sorted(maps.Keys(functions)), slices.Sorted(maps.Keys(programs)); !slices.Equal(got, want) {
		t.Fatalf("the functions are %v, want %v", got, want)
	}
	for name := range functions {
		if got := get(template, "Resources", name, "Metadata", "BuildMethod"); got != "makefile" {
			t.Errorf("%s is built by %v", name, got)
		}
		for architecture, processor := range map[string]string{"arm64": "arm64", "x86_64": "amd64"} {
			cmd := exec.Command("make", "-n", "build-"+name, "ARTIFACTS_DIR=/out", "ARCHITECTURE="+architecture)
			cmd.Dir = "../.."
			cmd.Env = append(environWithout("GOARCH"), "MAKEFLAGS=")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
			}
			commands := strings.ReplaceAll(string(out), "\\\n", "")
			for _, part := range []string{
				"GOOS=linux", "GOARCH=" + processor, "CGO_ENABLED=0", "-tags lambda.norpc", `-o "/out/bootstrap"`,
				"./cmd/" + programs[name],
			} {
				if !strings.Contains(commands, part) {
					t.Errorf("%v does not have %s:\n%s", cmd.Args, part, out)
				}
			}
		}
	}
	for key, want := range map[string]string{"Handler": "bootstrap", "Runtime": "provided.al2023"} {
		if got := get(template, "Globals", "Function", key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if got := get(template, "Parameters", "Architecture", "Default"); got != "arm64" {
		t.Errorf("the architecture is %v", got)
	}
}

func environWithout(name string) []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// option is a line of what a program prints about its configuration.
var option = regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_]+) `)

func TestVariablesAreThoseOfTheProgram(t *testing.T) {
	template := load(t, functionsFile)
	for name, function := range resources(template, "AWS::Serverless::Function") {
		cmd := exec.Command("go", "run", "./cmd/"+programs[name], "-h")
		cmd.Dir = "../.."
		usage, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, usage)
		}
		var want []string
		for _, match := range option.FindAllStringSubmatch(string(usage), -1) {
			want = append(want, match[1])
		}
		slices.Sort(want)
		// A value may also come from a file: then it is declared under that name.
		var got []string
		for variable := range variables(template, function) {
			got = append(got, strings.TrimSuffix(variable, "_FILE"))
		}
		slices.Sort(got)
		if len(want) < 6 || !slices.Equal(got, want) {
			t.Errorf("%s declares\n%v\nand reads\n%v", name, got, want)
		}
	}
}

// variables returns the environment of a function.
func variables(template, function object) object {
	all := object{}
	maps.Copy(all, at(template, "Globals", "Function", "Environment", "Variables"))
	maps.Copy(all, at(function, "Environment", "Variables"))
	return all
}

// margin is how long before the end of an invocation a function answers.
const margin = 500 * time.Millisecond

// gateway is how long API Gateway waits for a function.
const gateway = 30 * time.Second

func TestTimeoutsAreNested(t *testing.T) {
	template := load(t, functionsFile)
	for name, function := range resources(template, "AWS::Serverless::Function") {
		request, err := time.ParseDuration(fmt.Sprint(variables(template, function)["RIDESHARE_TIMEOUT"]))
		if err != nil {
			t.Fatal(err)
		}
		seconds, ok := get(template, "Globals", "Function", "Timeout").(int)
		invocation := time.Duration(seconds) * time.Second
		if function["Timeout"] != nil || !ok || request+margin >= invocation || invocation >= gateway {
			t.Errorf("%s: a request takes up to %v, an invocation %v", name, request, invocation)
		}
	}
}

// others are the connections of the watcher and of six workers, with room for those that replace them.
const others = 64

// perSandbox is how many connections an orchestrator has: one to publish, and one to consume.
const perSandbox = 2

func TestTheBrokerAdmitsEveryOrchestrator(t *testing.T) {
	template := load(t, functionsFile)
	function := resources(template, "AWS::Serverless::Function")["OrchestratorFunction"]
	if got := get(function, "ReservedConcurrentExecutions", "Ref"); got != "OrchestratorConcurrency" {
		t.Errorf("the concurrency is not OrchestratorConcurrency but %v", got)
	}
	most, ok := get(template, "Parameters", "OrchestratorConcurrency", "MaxValue").(int)
	conf, err := os.ReadFile("../../deploy/aws/rabbitmq.conf")
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	match := regexp.MustCompile(`(?m)^connection_max = (\d+)$`).FindSubmatch(conf)
	if match == nil {
		t.Fatal("the broker has no limit of connections")
	}
	limit, err := strconv.Atoi(string(match[1]))
	if err != nil || most*perSandbox+others > limit {
		t.Errorf("%d orchestrators have %d connections, of %d: %v", most, most*perSandbox, limit, err)
	}
}

func TestTheDataPlaneHasWhatTheFunctionsNeed(t *testing.T) {
	var needed []string
	for name, parameter := range at(load(t, functionsFile), "Parameters") {
		if get(parameter, "Default") == nil {
			needed = append(needed, name)
		}
	}
	offered := slices.Sorted(maps.Keys(at(load(t, dataPlaneFile), "Outputs")))
	if slices.Sort(needed); !slices.Equal(needed, offered) {
		t.Errorf("the functions need %v, the data plane offers %v", needed, offered)
	}
}

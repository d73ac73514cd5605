package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestReferences(t *testing.T) {
	for _, path := range []string{functionsFile, dataPlaneFile} {
		t.Run(path, func(t *testing.T) {
			for _, fault := range faults(load(t, path)) {
				t.Error(fault)
			}
		})
	}
}

// attributes are those that GetAtt gets, of the types that are used here.
var attributes = map[string][]string{
	"AWS::EC2::EIP":             {"AllocationId", "PublicIp"},
	"AWS::EC2::LaunchTemplate":  {"DefaultVersionNumber", "LatestVersionNumber", "LaunchTemplateId"},
	"AWS::EC2::SecurityGroup":   {"GroupId", "Id", "VpcId"},
	"AWS::EC2::Subnet":          {"AvailabilityZone", "CidrBlock", "SubnetId", "VpcId"},
	"AWS::IAM::InstanceProfile": {"Arn"},
	"AWS::IAM::Role":            {"Arn", "RoleId"},
	"AWS::Lambda::Alias":        {"AliasArn"},
	"AWS::Logs::LogGroup":       {"Arn"},
	"AWS::Serverless::Function": {"Arn"},
	"AWS::Serverless::HttpApi":  {"ApiId", "ApiEndpoint"},
}

// pseudo are the parameters that CloudFormation itself has.
var pseudo = []string{
	"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region",
	"AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}

// known are the functions that are used here.
var known = []string{
	"Fn::Base64", "Fn::Cidr", "Fn::Equals", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::Not", "Fn::Select", "Fn::Sub",
}

// checker looks for references that lead nowhere.
type checker struct {
	types      map[string]string // of the resources, those included that SAM makes
	parameters object
	conditions object
	used       map[string]bool // parameters and conditions
	faults     []string
}

// faults returns what is wrong with the references of a template.
func faults(template object) []string {
	c := &checker{
		types: map[string]string{}, parameters: at(template, "Parameters"),
		conditions: at(template, "Conditions"), used: map[string]bool{},
	}
	for name, resource := range at(template, "Resources") {
		c.declare(name, at(resource))
	}
	for name, resource := range at(template, "Resources") {
		c.checkAttachments(name, at(resource))
	}
	for _, section := range []string{"Globals", "Conditions", "Resources", "Outputs"} {
		walk("", template[section], c.check)
	}
	for _, names := range []object{c.parameters, c.conditions} {
		for name := range names {
			if !c.used[name] {
				c.fault("%s is never used", name)
			}
		}
	}
	slices.Sort(c.faults)
	return c.faults
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// declare notes a resource, and what SAM makes beside it.
func (c *checker) declare(name string, resource object) {
	typ, _ := resource["Type"].(string)
	c.types[name] = typ
	switch typ {
	case "AWS::Serverless::Function":
		c.types[name+"Aliaslive"] = "AWS::Lambda::Alias" // AutoPublishAlias: live
		if get(resource, "Properties", "Role") == nil {
			c.types[name+"Role"] = "AWS::IAM::Role"
		}
	case "AWS::Serverless::HttpApi":
		c.types[name+"ApiGatewayDefaultStage"] = "AWS::ApiGatewayV2::Stage"
	}
}

// checkAttachments checks what a resource refers to beside its properties.
func (c *checker) checkAttachments(name string, resource object) {
	var dependencies []any
	switch d := resource["DependsOn"].(type) {
	case string:
		dependencies = []any{d}
	case []any:
		dependencies = d
	}
	for _, d := range dependencies {
		if c.types[fmt.Sprint(d)] == "" {
			c.fault("%s depends on %v, which is no resource", name, d)
		}
	}
	if condition, ok := resource["Condition"].(string); ok {
		c.condition(condition)
	}
}

// check checks a value, where it is a function.
func (c *checker) check(_ string, value any) {
	function, ok := value.(object)
	if !ok || len(function) != 1 {
		return
	}
	for name, argument := range function {
		list, _ := argument.([]any)
		switch {
		case name == "Ref":
			c.ref(fmt.Sprint(argument))
		case name == "Fn::GetAtt" && len(list) == 2:
			c.getAtt(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
		case name == "Fn::If" && len(list) == 3:
			c.condition(fmt.Sprint(list[0]))
		case name == "Fn::Sub":
			c.sub(argument)
		case strings.HasPrefix(name, "Fn::") && (!slices.Contains(known, name) || name == "Fn::GetAtt" || name == "Fn::If"):
			c.fault("%s with %v is not understood", name, argument)
		}
	}
}

func (c *checker) condition(name string) {
	c.used[name] = true
	if c.conditions[name] == nil {
		c.fault("the condition %s does not exist", name)
	}
}

func (c *checker) ref(name string) {
	c.used[name] = true
	if c.parameters[name] == nil && c.types[name] == "" && !slices.Contains(pseudo, name) {
		c.fault("Ref %s: there is no such parameter or resource", name)
	}
}

func (c *checker) getAtt(resource, attribute string) {
	typ := c.types[resource]
	if !slices.Contains(attributes[typ], attribute) {
		c.fault("GetAtt %s.%s: it is a %q, which has no such attribute", resource, attribute, typ)
	}
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// sub checks a text with variables, or a list of that text and values for some of them.
func (c *checker) sub(argument any) {
	text, own := argument, object(nil)
	if list, ok := argument.([]any); ok && len(list) == 2 {
		text, own = list[0], at(list[1])
	}
	s, ok := text.(string)
	if !ok {
		c.fault("Sub with %v is not understood", argument)
	}
	found := variable.FindAllStringSubmatch(s, -1)
	if len(found) == 0 {
		c.fault("Sub of a text without a variable: %q", s)
	}
	for _, match := range found {
		resource, attribute, isAttribute := strings.Cut(match[1], ".")
		switch {
		case strings.HasPrefix(match[1], "!") || own[match[1]] != nil:
		case isAttribute:
			c.getAtt(resource, attribute)
		default:
			c.ref(match[1])
		}
	}
}

func TestFaultsAreFound(t *testing.T) {
	template, err := parse([]byte(`
Parameters:
  Used: {Type: String}
  Unused: {Type: String}
Conditions:
  Never: !Equals [a, b]
Resources:
  Role: {Type: "AWS::IAM::Role", DependsOn: Nothing}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Good: [!Ref Used, !GetAtt Role.Arn, !GetAtt FunctionRole.Arn, !Ref FunctionAliaslive, !Sub "${AWS::Region} ${Role.Arn} ${!Shell}", !Sub ["${Own}", {Own: 1}]]
      Bad: [!Ref Nobody, !GetAtt Role.Address, !Sub "${Nowhere}", {"Fn::Sub": "${Role.Name}"}, !If [Missing, 1, 2], !Reff Used]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Fn::Reff with Used is not understood",
		`GetAtt Role.Address: it is a "AWS::IAM::Role", which has no such attribute`,
		`GetAtt Role.Name: it is a "AWS::IAM::Role", which has no such attribute`,
		"Never is never used",
		"Ref Nobody: there is no such parameter or resource",
		"Ref Nowhere: there is no such parameter or resource",
		"Role depends on Nothing, which is no resource",
		"Unused is never used",
		"the condition Missing does not exist",
	}
	if got := faults(template); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, text := range []string{"a: &x 1\nb: *x", "a: &x {c: 1}\nb: {<<: *x}", "a: 1\na: 2", "[]", ""} {
		if template, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is taken: %v", text, template)
		}
	}
}

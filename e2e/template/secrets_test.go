package template

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// secretName is the name of a variable that holds a secret; secretTexts look like one.
var (
	secretName  = regexp.MustCompile(`(?i)(password|secret|token|_key|amqp_url)$`)
	secretTexts = map[string]*regexp.Regexp{
		"an access key":    regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`),
		"a private key":    regexp.MustCompile(`-----BEGIN `),
		"a password":       regexp.MustCompile(`://[^/:@\s]*:[^{@/\s][^@/\s]*@`),
		"random":           regexp.MustCompile(`[A-Za-z0-9+_=-]{24,}`),
		"a hash or a key":  regexp.MustCompile(`\b[0-9a-fA-F]{32,}\b`),
		"an account of us": regexp.MustCompile(`\b[0-9]{12}\b`),
	}
	digit, upper, lower = regexp.MustCompile(`[0-9]`), regexp.MustCompile(`[A-Z]`), regexp.MustCompile(`[a-z]`)
)

// secretsIn returns what looks like a secret in a value that stands under a key.
func secretsIn(key string, value any) []string {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	var found []string
	for what, pattern := range secretTexts {
		for _, match := range pattern.FindAllString(text, -1) {
			if what != "random" || digit.MatchString(match) && upper.MatchString(match) && lower.MatchString(match) {
				found = append(found, fmt.Sprintf("%s: %q looks like %s", key, match, what))
			}
		}
	}
	return found
}

func TestNoSecrets(t *testing.T) {
	for _, path := range []string{functionsFile, dataPlaneFile} {
		template := load(t, path)
		walk("", template, func(key string, value any) {
			for _, fault := range secretsIn(key, value) {
				t.Errorf("%s: %s", path, fault)
			}
		})
		for name, parameter := range at(template, "Parameters") {
			if secretName.MatchString(name) && get(parameter, "Default") != nil {
				t.Errorf("%s: %s has a default", path, name)
			}
		}
	}
	secrets := 0
	template := load(t, functionsFile)
	for function, properties := range resources(template, "AWS::Serverless::Function") {
		for name, value := range variables(template, properties) {
			if !secretName.MatchString(name) || value == "" {
				continue
			}
			secrets++
			if text, _ := get(value, "Fn::Sub").(string); !strings.Contains(text, "{{resolve:secretsmanager:${") {
				t.Errorf("%s: %s is not from Secrets Manager: %v", function, name, value)
			}
		}
	}
	// The token of the database in each function, the key of users' tokens in two, and in the orchestrator the
	// operators' token and the broker's address.
	if secrets != 7 {
		t.Errorf("%d variables are secret, want 7", secrets)
	}
}

func TestSecretsAreFound(t *testing.T) {
	for _, text := range []string{
		"AKIA" + "ABCDEFGHIJKLMNOP", "amqp://user:pass" + "word@host", "-----BEGIN " + "RSA",
		strings.Repeat("aB3", 8), strings.Repeat("0f", 16),
	} {
		if secretsIn("x", text) == nil {
			t.Errorf("%q is not found", text)
		}
	}
	for _, text := range []string{"amqp://orchestrator:{{resolve:secretsmanager:${S}}}@host:5672/", "https://host:8080/a@b", "Canary10Percent5Minutes"} {
		if found := secretsIn("x", text); found != nil {
			t.Error(found)
		}
	}
}

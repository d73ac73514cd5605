package apidoc

import (
	"testing"

	"rideshare/internal/openapitest"
)

func TestExamplesFitTheirSchemas(t *testing.T) {
	data, err := Document("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapitest.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := document.CheckExamples()
	if err != nil {
		t.Error(err)
	}
	if checked < 100 {
		t.Errorf("only %d examples were found", checked)
	}
}

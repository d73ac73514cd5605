package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// init sets huma's hooks. They are package variables of huma, which offers no setting per API, and
// they are read by every request: so they are set once, here, before anything can run, and not by
// New, which tests call concurrently.
func init() {
	huma.NewError = newError
	// Without this huma takes {"USERNAME":...} for username, and of two that differ in case the
	// validator and the decoder may see different ones.
	huma.ValidateStrictCasing = true
}

// newError makes a problem of what huma finds wrong with a request. huma answers 422 to a request
// that does not validate; the published API has 400 for everything that is wrong with one.
func newError(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	faults := faultsOf(errs)
	if len(faults) == 0 {
		return NewProblem(status, "%s", message)
	}
	p := NewProblem(status, "%s: %s", faults[0].Location, faults[0].Message)
	p.Field = faults[0].Location
	if len(faults) > 1 {
		p.Errors = faults
	}
	return p
}

// faultsOf leaves out the values that huma would echo: they can be a password, or a whole body.
func faultsOf(errs []error) []Fault {
	const most = 10
	var faults []Fault
	for _, err := range errs {
		if len(faults) == most {
			break
		}
		switch e := err.(type) { //nolint:errorlint // huma hands over its own, unwrapped
		case nil:
		case huma.ErrorDetailer:
			d := e.ErrorDetail()
			faults = append(faults, Fault{Location: clip(d.Location), Message: clip(d.Message)})
		default:
			faults = append(faults, Fault{Location: "request", Message: clip(err.Error())})
		}
	}
	return faults
}

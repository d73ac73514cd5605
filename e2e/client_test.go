package e2e_test

import (
	"crypto/sha1"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/client"
)

// TestClient goes a rider's way, and an operator's, with the client that others are given.
func TestClient(t *testing.T) {
	target := start(t, "on")
	ctx := t.Context()
	open := client.New(target.URL)
	signedIn := func(name string) *client.Client {
		credentials := client.Credentials{Username: name, Password: fmt.Sprintf("%x", sha1.Sum([]byte(name)))}
		if err := open.CreateUser(ctx, credentials); err != nil {
			t.Fatal(err)
		}
		session, err := open.CreateSession(ctx, credentials)
		if err != nil {
			t.Fatal(err)
		}
		return open.As(session.Token)
	}
	ann, bob := signedIn("ann"), signedIn("bob")
	departs := time.Now().UTC().Add(24 * time.Hour).Format("02-01-2006:05-04-15")
	ride, err := ann.CreateRide(ctx, client.NewRide{CreatedBy: "ann", Timestamp: departs, Source: 12, Destination: 34})
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(ride.RideID)
	if err := bob.JoinRide(ctx, id, client.NewRider{Username: "bob"}); err != nil {
		t.Fatal(err)
	}
	if err := bob.DeleteRide(ctx, id); client.StatusOf(err) != 403 {
		t.Errorf("another's ride is deleted: %v", err)
	}
	got, err := bob.GetRide(ctx, id)
	want := &client.RideDetails{RideID: ride.RideID, CreatedBy: "ann", Users: []string{"bob"}, Timestamp: departs, Source: 12, Destination: 34}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	upcoming, err := bob.ListRides(ctx, client.ListRidesQuery{Source: 12, Destination: 34})
	if err != nil || len(upcoming) != 1 || upcoming[0].RideID != ride.RideID {
		t.Errorf("%v, %v", upcoming, err)
	}
	if _, err := ann.GetCluster(ctx); client.StatusOf(err) != 401 {
		t.Errorf("a user sees the cluster: %v", err)
	}
	operator := open.As(target.ServiceToken)
	topology, err := operator.GetCluster(ctx)
	if err != nil || topology.Master == "" {
		t.Errorf("%+v, %v", topology, err)
	}
	if err := ann.DeleteRide(ctx, id); err != nil {
		t.Error(err)
	}
	if got, err := ann.GetRide(ctx, id); got != nil || err != nil {
		t.Errorf("a ride that was deleted: %+v, %v", got, err)
	}
}

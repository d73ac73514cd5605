// Code generated from the API's document by rideshare/client/gen. DO NOT EDIT.

package client

import (
	"context"
	"io"
	"net/url"
	"time"
)

// Checksum is a schema of the API.
type Checksum struct {
	// SHA-256 of everything it holds: data, sequences and stored replies
	Checksum string `json:"checksum"`
	// Why there is no checksum
	Error string `json:"error,omitempty"`
	// The number of the entry up to which its database is: the second part of a position
	Seq int64 `json:"seq"`
	// Id of the worker
	Worker string `json:"worker"`
}

// Condition is a schema of the API.
type Condition struct {
	Column string `json:"column"`
	Op     string `json:"op"`
	// For in: a list of 1 to 1000 values
	Value any `json:"value"`
}

// CreatedRide is a schema of the API.
type CreatedRide struct {
	// Number of the ride, unique for ever
	RideID int64 `json:"rideId"`
}

// Credentials is a schema of the API.
type Credentials struct {
	// SHA-1 of the password, as 40 hex digits
	Password string `json:"password"`
	// 1 to 128 characters, any but control characters and '/', and not . or ... A new name is in NFC, without format characters (category Cf) and without spaces around it
	Username string `json:"username"`
}

// Desired is a schema of the API.
type Desired struct {
	// Whether the autoscaler sets it
	Auto bool `json:"auto"`
	// Largest number of slaves
	Max int64 `json:"max"`
	// Least number of slaves
	Min int64 `json:"min"`
	// Number of slaves
	Slaves int64 `json:"slaves"`
}

// Fault is a schema of the API.
type Fault struct {
	// Where it is
	Location string `json:"location,omitempty"`
	// What is wrong
	Message string `json:"message"`
}

// Leader is a schema of the API.
type Leader struct {
	Epoch  int64  `json:"epoch"`
	Worker string `json:"worker"`
}

// NewPassword is a schema of the API.
type NewPassword struct {
	// SHA-1 of the password of until now, as 40 hex digits
	Current string `json:"current"`
	// SHA-1 of the new password, as 40 hex digits
	Password string `json:"password"`
}

// NewRide is a schema of the API.
type NewRide struct {
	// User who offers the ride
	CreatedBy string `json:"created_by"`
	// Area it goes to, another than source
	Destination int64 `json:"destination"`
	// Area it departs from, a JSON number or a numeric string
	Source int64 `json:"source"`
	// When it departs: DD-MM-YYYY:SS-MM-HH, seconds first
	Timestamp string `json:"timestamp"`
}

// NewRider is a schema of the API.
type NewRider struct {
	// User who joins
	Username string `json:"username"`
}

// OpResult is a schema of the API.
type OpResult struct {
	Rows   int64          `json:"rows"`
	Values map[string]any `json:"values,omitempty"`
}

// Order is a schema of the API.
type Order struct {
	Column string `json:"column"`
	// Largest first
	Desc bool `json:"desc,omitempty"`
}

// Outage is a schema of the API.
type Outage struct {
	// What is wrong
	Detail string `json:"detail"`
	// The part that does not answer
	Part string `json:"part"`
	// The queues of requests, where the broker answers
	Queues []Queue `json:"queues,omitempty"`
}

// PairFault is a schema of the API.
type PairFault struct {
	// Id of the pair; empty for one that could not be created
	Pair string `json:"pair,omitempty"`
	// The death or the start that has failed, for example: worker died: exited with 1: no space left on device
	Why string `json:"why"`
}

// Problem is a schema of the API.
type Problem struct {
	// What is wrong with this request
	Detail string `json:"detail,omitempty"`
	// All that is wrong, where that is more than one thing
	Errors []Fault `json:"errors,omitempty"`
	// Where in the request it is wrong
	Field string `json:"field,omitempty"`
	// Which way a database request failed
	Kind string `json:"kind,omitempty"`
	// Index of the operation that failed, in a database write
	Op *int64 `json:"op,omitempty"`
	// The status code
	Status int64 `json:"status"`
	// The status code in words
	Title string `json:"title"`
}

// Query is a schema of the API.
type Query struct {
	// Default: all
	Columns []string `json:"columns,omitempty"`
	// Ask for the number of rows; not with columns, order_by or limit
	Count bool `json:"count,omitempty"`
	// Default: as many as 8 MiB have room for; a larger answer is refused
	Limit   *int64  `json:"limit,omitempty"`
	OrderBy []Order `json:"order_by,omitempty"`
	Table   string  `json:"table"`
	// All have to hold; missing: every row
	Where []Condition `json:"where,omitempty"`
}

// QueryResult is a schema of the API.
type QueryResult struct {
	Count *int64           `json:"count,omitempty"`
	Rows  []map[string]any `json:"rows,omitempty"`
}

// Queue is a schema of the API.
type Queue struct {
	// How many take messages from it
	Consumers int64  `json:"consumers"`
	Name      string `json:"name"`
	// Messages that no consumer holds yet
	Waiting int64 `json:"waiting"`
}

// ReadRequest is a schema of the API.
type ReadRequest struct {
	// A position, epoch.seq
	After string `json:"after,omitempty"`
	// How new the data must be: anything, at least after, or every write acknowledged before. Default: session where after is given, else eventual
	Consistency string  `json:"consistency,omitempty"`
	Queries     []Query `json:"queries"`
}

// ReadResult is a schema of the API.
type ReadResult struct {
	Position string        `json:"position"`
	Results  []QueryResult `json:"results"`
}

// Record is a schema of the API.
type Record struct {
	// When it was done
	At time.Time `json:"at"`
	// The address that it came from
	From string `json:"from,omitempty"`
	// done, or why not
	Result string `json:"result"`
	// The first digits of the SHA-256 of the token. Empty with RIDESHARE_AUTH=off
	Token string `json:"token,omitempty"`
	What  string `json:"what"`
	// Who gave it, as the operator's program says: user@host. Nobody checks that
	Who string `json:"who,omitempty"`
}

// Recovery is a schema of the API.
type Recovery struct {
	At time.Time `json:"at"`
	// From noticing to done, in milliseconds
	DurationMs int64 `json:"duration_ms"`
	// From noticing to the election of the next master, in milliseconds
	ElectedMs *int64 `json:"elected_ms,omitempty"`
	// What was missing: the master, or a replica
	Role string `json:"role"`
	// What was done, for example: promoted p2.1
	What string `json:"what"`
	// What had happened, for example: master p1.1 died
	Why string `json:"why"`
	// Id of the worker that died
	Worker string `json:"worker"`
}

// RideDetails is a schema of the API.
type RideDetails struct {
	// User who offers it
	CreatedBy string `json:"created_by"`
	// Area it goes to
	Destination int64 `json:"destination"`
	// Number of the ride
	RideID int64 `json:"rideId"`
	// Area it departs from
	Source int64 `json:"source"`
	// When it departs: DD-MM-YYYY:SS-MM-HH
	Timestamp string `json:"timestamp"`
	// Those who joined, in order, without its creator
	Users []string `json:"users"`
}

// RiderRide is a schema of the API.
type RiderRide struct {
	// User who offers it
	CreatedBy string `json:"created_by"`
	// Area it goes to
	Destination int64 `json:"destination"`
	// Number of the ride
	RideID int64 `json:"rideId"`
	// Area it departs from
	Source int64 `json:"source"`
	// When it departs: DD-MM-YYYY:SS-MM-HH
	Timestamp string `json:"timestamp"`
}

// Session is a schema of the API.
type Session struct {
	// When it expires
	Expires time.Time `json:"expires"`
	// Send it as Authorization: Bearer <token>
	Token string `json:"token"`
}

// Slaves is a schema of the API.
type Slaves struct {
	// As many as the autoscaler thinks right
	Auto bool `json:"auto,omitempty"`
	// So many; turns the autoscaler off
	Count *int64 `json:"count,omitempty"`
}

// Switchover is a schema of the API.
type Switchover struct {
	// Id of a slave. Default: the most advanced one
	To string `json:"to,omitempty"`
}

// Topology is a schema of the API.
type Topology struct {
	Desired Desired `json:"desired"`
	// Id of the worker that was elected, until the log has accepted it as the master
	Elected string `json:"elected,omitempty"`
	// Epoch of the present master, or the latest one that is known; grows with every change of master
	Epoch int64 `json:"epoch"`
	// Where the epoch is from: the present master; the newest entry that a running worker holds; or the latest election, whose master the log may not have accepted. Missing: no epoch is known
	EpochFrom string `json:"epoch_from,omitempty"`
	// Pairs that do not serve after something has gone wrong with them, and why
	Faults []PairFault `json:"faults,omitempty"`
	// The master according to the log: the newest one that a worker has read of. Only what it writes counts. Empty while none is known
	LogLeader Leader `json:"log_leader"`
	// Id of the master; empty while there is none
	Master string `json:"master"`
	// The queues of requests; not after a command, nor while the broker does not tell
	Queues []Queue `json:"queues,omitempty"`
	// The last recoveries, newest first
	Recoveries []Recovery `json:"recoveries"`
	// The master according to the registry: the worker that was elected last, and is registered. Empty while there is none
	RegistryLeader Leader `json:"registry_leader"`
	// Id of the leading watcher
	Watcher string   `json:"watcher,omitempty"`
	Workers []Worker `json:"workers"`
}

// UpcomingRide is a schema of the API.
type UpcomingRide struct {
	// Number of the ride
	RideID int64 `json:"rideId"`
	// When it departs: DD-MM-YYYY:SS-MM-HH
	Timestamp string `json:"timestamp"`
	// User who offers it
	Username string `json:"username"`
}

// Worker is a schema of the API.
type Worker struct {
	// Where it gives snapshots, inside of the cluster
	Addr string `json:"addr,omitempty"`
	// It has had no word from the log for some seconds: it answers only what needs none
	CutOff bool `json:"cut_off,omitempty"`
	// ok, or what is wrong with its database
	Database string `json:"database"`
	ID       string `json:"id"`
	// Entries behind the most advanced worker
	Lag int64 `json:"lag"`
	// The pair of worker and database it belongs to
	Pair string `json:"pair"`
	// Process id of the worker's container
	PID int64 `json:"pid"`
	// Position up to which its database is, epoch.seq
	Position string `json:"position"`
	// Reads served since it started
	Reads int64  `json:"reads"`
	Role  string `json:"role"`
	State string `json:"state"`
	// Writes executed as master since it started
	Writes int64 `json:"writes"`
}

// WriteOp is a schema of the API.
type WriteOp struct {
	// Sequence that hands out no number up to to any more; one that is further stays
	Advance string `json:"advance,omitempty"`
	// Table in which to count the rows that match where
	Check string `json:"check,omitempty"`
	// Table to delete the rows that match where from
	Delete string `json:"delete,omitempty"`
	// How many rows must match. Required for a check; elsewhere any number may, where it is missing
	Expect *int64 `json:"expect,omitempty"`
	// Table to insert values into
	Insert string `json:"insert,omitempty"`
	// Columns to set, as in values
	Set map[string]any `json:"set,omitempty"`
	// Where to advance the sequence
	To *int64 `json:"to,omitempty"`
	// Table in which to set columns of the rows that match where
	Update string `json:"update,omitempty"`
	// Every column of the row; the account and generation of a user may be missing, and are then random. {"$next":"rides"} is the next number of that sequence, {"$now":true} the master's clock
	Values map[string]any `json:"values,omitempty"`
	// All have to hold; missing: every row
	Where []Condition `json:"where,omitempty"`
}

// WriteRequest is a schema of the API.
type WriteRequest struct {
	// All happen, or none
	Ops []WriteOp `json:"ops"`
}

// WriteResult is a schema of the API.
type WriteResult struct {
	Position string     `json:"position"`
	Results  []OpResult `json:"results"`
}

// GetCluster: Get the whole topology
func (c *Client) GetCluster(ctx context.Context) (*Topology, error) {
	var out *Topology
	err := c.do(ctx, call{method: "GET", path: "/api/v1/cluster", retry: true}, &out)
	return out, err
}

// WatchCluster: Watch the topology
//
// The caller closes what it gets.
func (c *Client) WatchCluster(ctx context.Context) (io.ReadCloser, error) {
	return c.stream(ctx, call{method: "GET", path: "/api/v1/cluster/events", retry: true})
}

// GetHistoryQuery are the parameters of the operation in the URL.
type GetHistoryQuery struct {
	// Left out where it is zero.
	Limit int64
}

func (q GetHistoryQuery) values() url.Values {
	v := url.Values{}
	set(v, "limit", q.Limit, false)
	return v
}

// GetHistory: List what operators have done, the newest first
func (c *Client) GetHistory(ctx context.Context, query GetHistoryQuery) ([]Record, error) {
	var out []Record
	err := c.do(ctx, call{method: "GET", path: "/api/v1/cluster/history", retry: true, query: query.values()}, &out)
	return out, err
}

// SetSlaves: Set the number of slaves, or leave it to the autoscaler
func (c *Client) SetSlaves(ctx context.Context, body Slaves) (*Topology, error) {
	var out *Topology
	err := c.do(ctx, call{method: "PUT", path: "/api/v1/cluster/slaves", retry: true, body: body}, &out)
	return out, err
}

// SwitchOver: Change the master as planned
func (c *Client) SwitchOver(ctx context.Context, body Switchover) (*Topology, error) {
	var out *Topology
	err := c.do(ctx, call{method: "POST", path: "/api/v1/cluster/switchover", body: body}, &out)
	return out, err
}

// CrashMaster: Kill the master
func (c *Client) CrashMaster(ctx context.Context) ([]string, error) {
	var out []string
	err := c.do(ctx, call{method: "POST", path: "/api/v1/crash/master"}, &out)
	return out, err
}

// CrashSlave: Kill the slave with the highest process id
func (c *Client) CrashSlave(ctx context.Context) ([]string, error) {
	var out []string
	err := c.do(ctx, call{method: "POST", path: "/api/v1/crash/slave"}, &out)
	return out, err
}

// DBChecksums: Get the checksum of every replica
func (c *Client) DBChecksums(ctx context.Context) ([]Checksum, error) {
	var out []Checksum
	err := c.do(ctx, call{method: "GET", path: "/api/v1/db/checksums", retry: true}, &out)
	return out, err
}

// DBClear: Empty every table
func (c *Client) DBClear(ctx context.Context) error {
	return c.do(ctx, call{method: "POST", path: "/api/v1/db/clear", key: true, retry: true}, nil)
}

// DBRead: Read from the database
func (c *Client) DBRead(ctx context.Context, body ReadRequest) (*ReadResult, error) {
	var out *ReadResult
	err := c.do(ctx, call{method: "POST", path: "/api/v1/db/read", token: true, retry: true, body: body}, &out)
	return out, err
}

// DBSnapshot: Get a backup
//
// The caller closes what it gets.
func (c *Client) DBSnapshot(ctx context.Context) (io.ReadCloser, error) {
	return c.stream(ctx, call{method: "GET", path: "/api/v1/db/snapshot", retry: true})
}

// DBWrite: Write to the database
func (c *Client) DBWrite(ctx context.Context, body WriteRequest) (*WriteResult, error) {
	var out *WriteResult
	err := c.do(ctx, call{method: "POST", path: "/api/v1/db/write", key: true, retry: true, body: body}, &out)
	return out, err
}

// ListRidesOfRider: List the upcoming rides that a user offers or has joined
// The result is nil where there is nothing.
func (c *Client) ListRidesOfRider(ctx context.Context, username string) ([]RiderRide, error) {
	var out []RiderRide
	err := c.do(ctx, call{method: "GET", path: "/api/v1/riders/" + url.PathEscape(username) + "/rides", token: true, retry: true}, &out)
	return out, err
}

// LeaveRide: Leave a ride
func (c *Client) LeaveRide(ctx context.Context, username string, rideID string) error {
	return c.do(ctx, call{method: "DELETE", path: "/api/v1/riders/" + url.PathEscape(username) + "/rides/" + url.PathEscape(rideID), key: true, retry: true}, nil)
}

// ListRidesQuery are the parameters of the operation in the URL.
type ListRidesQuery struct {
	Source      int64
	Destination int64
}

func (q ListRidesQuery) values() url.Values {
	v := url.Values{}
	set(v, "source", q.Source, true)
	set(v, "destination", q.Destination, true)
	return v
}

// ListRides: List upcoming rides from one area to another
// The result is nil where there is nothing.
func (c *Client) ListRides(ctx context.Context, query ListRidesQuery) ([]UpcomingRide, error) {
	var out []UpcomingRide
	err := c.do(ctx, call{method: "GET", path: "/api/v1/rides", token: true, retry: true, query: query.values()}, &out)
	return out, err
}

// CreateRide: Offer a ride
func (c *Client) CreateRide(ctx context.Context, body NewRide) (*CreatedRide, error) {
	var out *CreatedRide
	err := c.do(ctx, call{method: "POST", path: "/api/v1/rides", key: true, retry: true, body: body}, &out)
	return out, err
}

// CountRides: Count the rides that exist
func (c *Client) CountRides(ctx context.Context) ([]int64, error) {
	var out []int64
	err := c.do(ctx, call{method: "GET", path: "/api/v1/rides/count", token: true, retry: true}, &out)
	return out, err
}

// DeleteRide: Delete a ride
func (c *Client) DeleteRide(ctx context.Context, rideID string) error {
	return c.do(ctx, call{method: "DELETE", path: "/api/v1/rides/" + url.PathEscape(rideID), key: true, retry: true}, nil)
}

// GetRide: Get a ride
// The result is nil where there is nothing.
func (c *Client) GetRide(ctx context.Context, rideID string) (*RideDetails, error) {
	var out *RideDetails
	err := c.do(ctx, call{method: "GET", path: "/api/v1/rides/" + url.PathEscape(rideID), token: true, retry: true}, &out)
	return out, err
}

// JoinRide: Join a ride
func (c *Client) JoinRide(ctx context.Context, rideID string, body NewRider) error {
	return c.do(ctx, call{method: "POST", path: "/api/v1/rides/" + url.PathEscape(rideID), key: true, retry: true, body: body}, nil)
}

// DeleteSessions: Sign out
func (c *Client) DeleteSessions(ctx context.Context) error {
	return c.do(ctx, call{method: "DELETE", path: "/api/v1/sessions", key: true, retry: true}, nil)
}

// CreateSession: Sign in
func (c *Client) CreateSession(ctx context.Context, body Credentials) (*Session, error) {
	var out *Session
	err := c.do(ctx, call{method: "POST", path: "/api/v1/sessions", body: body}, &out)
	return out, err
}

// ListUsersQuery are the parameters of the operation in the URL.
type ListUsersQuery struct {
	// Left out where it is zero.
	Limit int64
	// Left out where it is zero.
	After string
}

func (q ListUsersQuery) values() url.Values {
	v := url.Values{}
	set(v, "limit", q.Limit, false)
	set(v, "after", q.After, false)
	return v
}

// ListUsers: List users
// The result is nil where there is nothing.
func (c *Client) ListUsers(ctx context.Context, query ListUsersQuery) ([]string, error) {
	var out []string
	err := c.do(ctx, call{method: "GET", path: "/api/v1/users", token: true, retry: true, query: query.values()}, &out)
	return out, err
}

// CreateUser: Sign up
func (c *Client) CreateUser(ctx context.Context, body Credentials) error {
	return c.do(ctx, call{method: "PUT", path: "/api/v1/users", key: true, retry: true, body: body}, nil)
}

// DeleteUser: Delete a user
func (c *Client) DeleteUser(ctx context.Context, username string) error {
	return c.do(ctx, call{method: "DELETE", path: "/api/v1/users/" + url.PathEscape(username), key: true, retry: true}, nil)
}

// ChangePassword: Change a password
func (c *Client) ChangePassword(ctx context.Context, username string, body NewPassword) error {
	return c.do(ctx, call{method: "PUT", path: "/api/v1/users/" + url.PathEscape(username) + "/password", key: true, retry: true, body: body}, nil)
}

// ListWorkers: List the process ids of the workers
func (c *Client) ListWorkers(ctx context.Context) ([]int64, error) {
	var out []int64
	err := c.do(ctx, call{method: "GET", path: "/api/v1/worker/list", retry: true}, &out)
	return out, err
}

// Healthz: Is it alive?
func (c *Client) Healthz(ctx context.Context) error {
	return c.do(ctx, call{method: "GET", path: "/healthz", retry: true}, nil)
}

// Readyz: Can it serve?
func (c *Client) Readyz(ctx context.Context) error {
	return c.do(ctx, call{method: "GET", path: "/readyz", retry: true}, nil)
}

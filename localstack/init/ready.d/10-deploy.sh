#!/usr/bin/env bash
# LocalStack runs this when it is ready: it creates the three functions from their zips, each with a
# function URL, or brings those that are there up to date.
set -euo pipefail
zips=${RIDESHARE_ZIPS:-/rideshare/functions}
secrets=${RIDESHARE_SECRETS:-/rideshare/secrets}
architecture=${ARCHITECTURE:-x86_64}

environment=$(mktemp)
trap 'rm -f "$environment"' EXIT

# variables NAME VALUE...: writes the environment of a function. It goes by file, as command lines can
# be read by everybody. No value has line breaks.
variables() {
	local separator='' value
	{
		printf '{"Variables":{'
		while (($#)); do
			value=${2//\\/\\\\}
			printf '%s"%s":"%s"' "$separator" "$1" "${value//\"/\\\"}"
			separator=,
			shift 2
		done
		printf '}}\n'
	} >"$environment"
}

# common: what all functions read, as NAME VALUE...
common=(
	RIDESHARE_AUTH "${RIDESHARE_AUTH:-on}"
	RIDESHARE_HOSTS ".localhost.localstack.cloud,${RIDESHARE_HOSTS:-}" # function URLs are below it
	RIDESHARE_TIMEOUT "${RIDESHARE_TIMEOUT:-10s}"
	RIDESHARE_CORS_ORIGINS "${RIDESHARE_CORS_ORIGINS:-}"
	RIDESHARE_DATABASE_TOKEN "$(cat "$secrets/database_token")"
)

# deploy NAME MEMORY: deploys bin/functions/NAME.zip with the environment, and sets url to its address.
deploy() {
	local name=${1,,}
	if awslocal lambda get-function --function-name "$name" >/dev/null 2>&1; then
		awslocal lambda update-function-code --function-name "$name" --architectures "$architecture" \
			--zip-file "fileb://$zips/$1.zip" >/dev/null
		awslocal lambda wait function-updated-v2 --function-name "$name"
		awslocal lambda update-function-configuration --function-name "$name" --memory-size "$2" --timeout 12 \
			--environment "file://$environment" >/dev/null
		awslocal lambda wait function-updated-v2 --function-name "$name"
	else
		# The tag is the first label of the URL.
		awslocal lambda create-function --function-name "$name" --architectures "$architecture" \
			--runtime provided.al2023 --handler bootstrap --role arn:aws:iam::000000000000:role/rideshare \
			--zip-file "fileb://$zips/$1.zip" --memory-size "$2" --timeout 12 \
			--environment "file://$environment" --tags "_custom_id_=$name" >/dev/null
		awslocal lambda wait function-active-v2 --function-name "$name"
	fi
	url=$(awslocal lambda get-function-url-config --function-name "$name" --query FunctionUrl --output text 2>/dev/null) ||
		url=$(awslocal lambda create-function-url-config --function-name "$name" --auth-type NONE \
			--query FunctionUrl --output text)
	url=${url%/}
	echo "$name is on $url"
}

# The other two call the orchestrator: it comes first.
variables "${common[@]}" RIDESHARE_IDLE_REDIAL 20s AMQP_REPLICATED "${AMQP_REPLICATED:-false}" \
	RIDESHARE_SERVICE_TOKEN "$(cat "$secrets/service_token")" \
	RIDESHARE_SNAPSHOT_TOKEN "$(head -n 1 "$secrets/snapshot_token")" AMQP_URL "$(cat "$secrets/amqp_url_orchestrator")"
deploy Orchestrator 512
orchestrator=$url
key=$(head -n 1 "$secrets/token_key") # the ones after it are former keys
variables "${common[@]}" RIDESHARE_TOKEN_KEY "$key" ORCHESTRATOR_URL "$orchestrator" RIDESHARE_TRUST_FORWARDED_FOR false
deploy Users 1024
variables "${common[@]}" RIDESHARE_TOKEN_KEY "$key" ORCHESTRATOR_URL "$orchestrator" RIDESHARE_AREAS "${RIDESHARE_AREAS:-198}" \
	RIDESHARE_TIMEZONE "${RIDESHARE_TIMEZONE:-UTC}"
deploy Rides 512

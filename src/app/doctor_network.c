/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_network.c - whether GitHub can be reached and what it allows, by one request that costs
 * nothing of the budget (/rate_limit), and our clock against the Date of its answer. */
#include "app/doctor.h"

#include "base/mask.h"
#include "ingest/ingest.h"
#include "wrap/http_client.h"

#include <inttypes.h>
#include <string.h>

enum {
	CONNECT_WAIT_MS_MAX = 4000,
	ANSWER_WAIT_MS_MAX = 8000,
	ANSWER_BYTES_MAX = 1024 * 1024,
	CLOCK_TOLERANCE_S = 60,
};

static const char TOKEN_FIX[] = "make a fine-grained token without any permission at "
				"https://github.com/settings/personal-access-tokens/new, then: GITHUB_TOKEN=... "
				"octolake, or "
				"--token-file FILE";

static void check_proxy(struct doctor *doctor, const char *api_url)
{
	const char *variable;
	const char *proxy = config_proxy(api_url, &variable);
	if (proxy)
		doctor_say(doctor, "proxy", DOCTOR_OK, NULL, "%s, from %s", proxy, variable);
	else
		doctor_say(doctor, "proxy", DOCTOR_OK, NULL, "none");
}

/* What helps, by the library's words. */
static const char *fix_for(const struct err *err)
{
	static const struct {
		const char *word;
		const char *fix;
	} fixes[] = {
		{"proxy", "look at https_proxy in the environment"},
		{"resolv", "no name service: is the machine online? `octolake demo` and `octolake serve` work without"},
		{"certificate", "sudo apt install ca-certificates; a proxy that opens TLS needs its own certificate "
				"there; a clock that is far off breaks TLS too"},
		{"SSL", "sudo apt install ca-certificates; a proxy that opens TLS needs its own certificate there"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(fixes); i++)
		if (strcasestr(err->text, fixes[i].word))
			return fixes[i].fix;
	return "is the machine online, and does a firewall let it out? Behind a proxy set https_proxy. "
	       "`octolake demo` and `octolake serve` work without";
}

static bool ask(struct doctor *doctor, const char *api_url, const char *token,
		struct http_client_response *response_out,
		struct err *err)
{
	struct http_client *client CLEANUP(http_client_destroy) = NULL;
	const char *bearer = token ? arena_printf(&doctor->arena, "Bearer %s", token) : NULL;
	const struct http_client_header headers[] = {
		{"Accept", "application/vnd.github+json"},
		{"User-Agent", "octolake/" OCTOLAKE_VERSION},
		{"Authorization", bearer},
	};
	struct http_client_request request = {
		.url = doctor_text(doctor, "%s/rate_limit", api_url),
		.headers = headers,
		.header_count = bearer ? 3 : 2,
		.body_bytes_max = ANSWER_BYTES_MAX,
		.connect_wait_ms_max = CONNECT_WAIT_MS_MAX,
		.total_wait_ms_max = ANSWER_WAIT_MS_MAX,
	};
	return http_client_create(&client, err)
	       && http_client_send(client, &request, &doctor->arena, response_out, err);
}

static void check_clock(struct doctor *doctor, const struct http_client_response *response)
{
	const char *date = http_client_header_get(response, "Date");
	int64_t date_us;
	if (!date || !time_parse_http(span_trim(span_of(date)), &date_us)) {
		doctor_say(doctor, "clock", DOCTOR_WARN, NULL, "the answer does not say what time it is there");
		return;
	}
	int64_t ahead_s = (clock_wall_us(clock_system()) - date_us) / 1000000;
	int64_t off_s = ahead_s < 0 ? -ahead_s : ahead_s;
	if (off_s > CLOCK_TOLERANCE_S)
		doctor_say(doctor, "clock", DOCTOR_WARN, "sudo timedatectl set-ntp true",
			   "this machine's clock is %s %s GitHub's: \"the last hour\" is another hour than "
			   "there (limits are kept nevertheless)",
			   doctor_seconds(doctor, off_s), ahead_s > 0 ? "ahead of" : "behind");
	else
		doctor_say(doctor, "clock", DOCTOR_OK, NULL, "within %" PRId64 " s of GitHub's", off_s + 1);
}

static void check_token(struct doctor *doctor, const char *token, const char *source, int status)
{
	if (!token)
		doctor_say(doctor, "token", DOCTOR_WARN, TOKEN_FIX,
			   "none: 60 requests an hour, a poll about every 3 minutes");
	else if (status == 401)
		doctor_say(doctor, "token", DOCTOR_FAIL, TOKEN_FIX,
			   "the one from %s is refused (401): wrong, revoked or expired",
			   source);
	else
		doctor_say(doctor, "token", DOCTOR_OK, NULL, "set by %s%s", source,
			   status == 200 ? ", accepted" : ", not tried");
}

static void check_quota(struct doctor *doctor, const struct http_client_response *response)
{
	const struct json_node *root;
	struct err err;
	if (response->status == 404) {
		doctor_say(doctor, "quota", DOCTOR_OK, NULL, "this server sets no limits");
		return;
	}
	if (!json_parse(response->body, &doctor->arena, &root, &err)) {
		doctor_say(doctor, "quota", DOCTOR_WARN, NULL,
			   "the answer of /rate_limit is not what was expected: %s", err.text);
		return;
	}
	const struct json_node *core = json_get(json_get(root, "resources"), "core");
	int64_t limit = json_get_integer(core, "limit", -1);
	int64_t remaining = json_get_integer(core, "remaining", -1);
	int64_t reset_s = json_get_integer(core, "reset", 0);
	if (limit < 0 || remaining < 0)
		doctor_say(doctor, "quota", DOCTOR_WARN, NULL, "the answer of /rate_limit tells no budget");
	else if (remaining == 0)
		doctor_say(doctor, "quota", DOCTOR_WARN, "wait: octolake asks nothing before, and goes on by itself",
			   "used up: 0 of %" PRId64 " left until %s", limit, time_render(reset_s * 1000000).text);
	else
		doctor_say(doctor, "quota", DOCTOR_OK, NULL, "%" PRId64 " of %" PRId64 " left until %s",
			   remaining, limit,
			   time_render(reset_s * 1000000).text);
}

static bool has_bad_byte(const char *token)
{
	for (const char *c = token; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return true;
	return false;
}

void doctor_check_network(struct doctor *doctor)
{
	const char *api_url = config_text(doctor->config, OPTION_API_URL);
	const char *token = NULL;
	const char *source = "none";
	struct http_client_response response;
	struct err err;
	bool token_ok = config_token(doctor->config, &token, &source, &err);
	if (token_ok && token && (token[0] == '\0' || has_bad_byte(token)))
		token_ok = err_set(&err, ERR_INPUT,
				   "the one from %s is empty, or holds a blank or a byte that no token has", source);
	if (!token_ok) {
		doctor_say(doctor, "token", DOCTOR_FAIL, TOKEN_FIX, "%s", err.text);
		token = NULL;
	}
	check_proxy(doctor, api_url);
	if (!ask(doctor, api_url, token, &response, &err)) {
		doctor_say(doctor, "github", DOCTOR_FAIL, fix_for(&err), "%s: %s", api_url, err.text);
		if (token_ok)
			check_token(doctor, token, source, 0);
		return;
	}
	bool good = response.status == 200 || response.status == 401 || response.status == 404;
	doctor_say(doctor, "github", good ? DOCTOR_OK : DOCTOR_FAIL,
		   response.status >= 500 ? "try again later: https://www.githubstatus.com says whether others "
		   "see it too"
					  : "is --api-url right? https://api.github.com, or https://HOST/api/v3",
		   "%s answers %d after %" PRId64 " ms%s", api_url, response.status, response.elapsed_ms,
		   span_starts_with(span_of(api_url), "https://") ? ", its certificate is good" : "");
	check_clock(doctor, &response);
	if (token_ok)
		check_token(doctor, token, source, response.status);
	if (response.status == 200 || response.status == 404)
		check_quota(doctor, &response);
}

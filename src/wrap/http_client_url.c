/* SPDX-License-Identifier: Apache-2.0 */
/* http_client_url.c - the part of http_client.h that looks at URLs, with the eyes of who will send them. */
#include "wrap/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static void close_url(CURLU **url)
{
	curl_url_cleanup(*url);
	*url = NULL;
}

static void free_text(char **text)
{
	curl_free(*text);
	*text = NULL;
}

static bool check(CURLU *url, CURLUcode result, struct err *err)
{
	CLEANUP(free_text) char *scheme = NULL;
	if (result == CURLUE_OK)
		result = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	if (result != CURLUE_OK)
		return err_set(err, ERR_INPUT, "URL: %s", curl_url_strerror(result));
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return err_set(err, ERR_INPUT, "URL: neither http nor https");
	return true;
}

bool http_client_check_url(const char *text, struct err *err)
{
	CLEANUP(close_url) CURLU *url = curl_url();
	if (!url)
		return err_set(err, ERR_LOCAL, "HTTP client library: no URL parser");
	return check(url, curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER), err);
}

bool http_client_resolve(const char *base, const char *reference, char *text, size_t size, struct err *err)
{
	CLEANUP(close_url) CURLU *url = curl_url();
	CLEANUP(free_text) char *whole = NULL;
	if (!url)
		return err_set(err, ERR_LOCAL, "HTTP client library: no URL parser");
	CURLUcode result = curl_url_set(url, CURLUPART_URL, base, CURLU_DISALLOW_USER);
	if (result == CURLUE_OK)
		result = curl_url_set(url, CURLUPART_URL, reference, CURLU_DISALLOW_USER);
	if (result == CURLUE_OK)
		result = curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	if (!check(url, result, err))
		return false;
	result = curl_url_get(url, CURLUPART_URL, &whole, 0);
	if (result != CURLUE_OK)
		return err_set(err, ERR_INPUT, "URL: %s", curl_url_strerror(result));
	if (strlen(whole) >= size)
		return err_set(err, ERR_INPUT, "URL: longer than %zu bytes", size - 1);
	memcpy(text, whole, strlen(whole) + 1);
	return true;
}

bool http_client_is_this_machine(const char *text)
{
	CLEANUP(close_url) CURLU *url = curl_url();
	CLEANUP(free_text) char *host = NULL;
	return url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK
	       && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK
	       && (strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0);
}

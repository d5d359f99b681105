// Package objects lists, reads and writes the objects in buckets of Amazon S3 and of servers with the same interface.
//
// Credentials come from the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), the shared credentials file, or
// the role of the machine, in this order. AWS_ENDPOINT_URL names another server than Amazon's, and AWS_REGION the
// region. Without credentials requests are not signed, as for public buckets.
//
// Requests are retried after transient errors, with pauses that grow. No error holds text that a server sent: servers
// repeat keys, signatures and tokens in their messages.
package objects

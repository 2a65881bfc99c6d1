// Package secretsmanager keeps secrets in AWS Secrets Manager, which names them by ARN or by name: it makes secrets,
// fills and reads them, deletes and restores them.
//
// # How a value is replaced
//
// Secrets Manager has no compare-and-set of values. But each of its staging labels is on one version at a time, and
// moving AWSCURRENT fails unless the call names the version that it is on. So Replace reads AWSCURRENT, puts the
// value under the label PENDING, and moves AWSCURRENT from the old version to it. What is interrupted in between
// stays under PENDING, and Adopt moves AWSCURRENT to it later.
//
// The id of a version says which one it replaces, since the writer chooses it: 32 random hexadecimal digits, then
// the first 32 of the SHA-256 of the replaced version's id. So values stay what the operator reads and writes in the
// console, and no labels pile up: AWS keeps at most about 100 versions and never deletes one with a label.
//
// When moving AWSCURRENT fails it may have been moved all the same: the answer was lost and the SDK asked again, or
// another one adopted the value. So AWSCURRENT is read once more. If it is on our version, or on one that replaces
// ours, the value has become current. If it is on another that replaces the same old one, ours never was, and never
// will be: that is ErrConflict. Anything else is left open, and the first error returned.
//
// A second writer's put takes PENDING away from the first one's version. That has no label then and may be deleted,
// but not within 24 hours of being written, and as long as it is there AWSCURRENT can be moved to it: both writers
// go on, and one makes it. If it is the first one that stops here its value is lost, as Adopt finds the second one.
// To not take PENDING from a value that waits without any chance of replacing it, Replace reads AWSCURRENT first.
//
// Secrets Manager is eventually consistent: an answer may be older than what the caller has seen already. What is
// decided by moving a label is not concerned. An answer that names the version which the caller's own replaced is
// known to be old, and is no conflict.
//
// # How secrets are made and deleted
//
// Create makes the secret and its first value by one request, which names the version that it makes: AWS takes the
// same one twice for one, if the SDK asks again after an answer was lost. It reads only what it was refused for:
// whether the name is taken, or that of a deleted secret.
//
// Delete leaves the secret to AWS for the recovery window, 7 to 30 days, during which nobody can read or replace it
// nor make another one of that name, and Restore brings it back with all its versions. Afterwards AWS deletes it for
// good. What AWS refuses because the secret is already as it is to become is no error; reading it tells.
//
// # Permissions
//
// On the secret, and kms:Decrypt on its key if it has one of its own:
//
//   - Get, Previous: secretsmanager:GetSecretValue
//   - Adopt: secretsmanager:GetSecretValue, secretsmanager:UpdateSecretVersionStage
//   - Replace: secretsmanager:GetSecretValue, secretsmanager:PutSecretValue,
//     secretsmanager:UpdateSecretVersionStage; and kms:GenerateDataKey on the key
//   - Create: secretsmanager:CreateSecret, secretsmanager:GetSecretValue, and with tags secretsmanager:TagResource
//   - Delete: secretsmanager:DeleteSecret, secretsmanager:GetSecretValue
//   - Restore: secretsmanager:RestoreSecret, secretsmanager:GetSecretValue
//
// Where a policy allows these by a tag of the secret (aws:ResourceTag), one that does not exist has none: AWS denies
// what would be vault.ErrNotFound, and a Delete that would be no error. A condition that lets secrets without that tag
// pass, such as StringEqualsIfExists, keeps the difference.
package secretsmanager

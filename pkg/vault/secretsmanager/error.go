package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/smithy-go"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awscall"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// errRefused is AWS's answer to a label that is to be moved from where it is not, among others.
var errRefused = errors.New("AWS refused the parameters (InvalidParameterException): see that the secret's name or ARN is right")

// errState is AWS's answer to what cannot be done with a secret as it is: as it is deleted, mostly.
var errState = errors.New("AWS refused it as the secret is now (InvalidRequestException): it is being deleted, has replicas, or another service of AWS manages it: look at it in the console, or try again in some minutes")

// errTaken is AWS's answer to making a secret whose name another one has.
var errTaken = fmt.Errorf("one of that name exists: %w", vault.ErrConflict)

// explain makes an error that says what to do next of the SDK's error of an action. Of what AWS says it keeps the
// code only, since more might quote the request or the answer, and with them a value.
func explain(ctx context.Context, action string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return explainCode(action, refused)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		if failed.Timeout() { // the attempt's, not the caller's
			return fmt.Errorf("%s: no answer from Secrets Manager within %s", action, awscall.AttemptTimeout)
		}
		return fmt.Errorf("%s: no answer from Secrets Manager: %w", action, failed.Err)
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok { // it quotes the answer
		return fmt.Errorf("%s: Secrets Manager's answer ended early or makes no sense", action)
	}
	return err // from before anything was sent: credentials, region
}

func explainCode(action string, refused smithy.APIError) error {
	switch code := refused.ErrorCode(); code {
	case "ResourceNotFoundException":
		return vault.ErrNotFound
	case "InvalidRequestException":
		return explainState(action)
	case "ResourceExistsException":
		return errTaken
	case "InvalidParameterException":
		return errRefused
	case "AccessDeniedException": // names who asked for what
		if action == "CreateSecret" {
			action += " and secretsmanager:TagResource"
		}
		return fmt.Errorf("%s: allow secretsmanager:%s on this secret in the policy of the function's role, and if the secret has a key of its own the use of that (kms:Decrypt, kms:GenerateDataKey)", refused.ErrorMessage(), action)
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException":
		return fmt.Errorf("%s: AWS does not accept the credentials (%s): log in to AWS again", action, code)
	case "DecryptionFailure", "EncryptionFailure":
		return fmt.Errorf("%s: the secret's key cannot be used (%s): enable it in KMS, or restore it", action, code)
	case "LimitExceededException":
		if action == "CreateSecret" {
			return fmt.Errorf("%s: this AWS account has as many secrets as it may have (%s): delete some, or ask AWS for a higher quota", action, code)
		}
		return fmt.Errorf("%s: the secret has too many versions (%s): AWS deletes those without a label a day after they were written; until then it cannot be replaced", action, code)
	default:
		return fmt.Errorf("%s: Secrets Manager answered %s", action, code)
	}
}

// explainState makes an error of InvalidRequestException. Reading is refused by it only if the secret is deleted,
// changing a value for other reasons, too; who makes, deletes or restores a secret reads it to learn the reason.
func explainState(action string) error {
	switch action {
	case "GetSecretValue":
		return fmt.Errorf("%w (`aws secretsmanager restore-secret` takes the deletion back)", vault.ErrDeleted)
	case "PutSecretValue", "UpdateSecretVersionStage":
		return fmt.Errorf("%w: it is scheduled for deletion, or another service of AWS manages it (`aws secretsmanager restore-secret` takes a deletion back)", vault.ErrNotFound)
	}
	return errState
}

//! What `--help` shows below the options: what is worth knowing, exit codes, examples.
//!
//! Deliberately absent: those of verbs whose options have a file of their own.

/// Below the list of verbs and the exit codes.
pub const ALL: &str = "\
  Of several stages, the first that failed, in the order given, has its say.

Environment:
  DEPLOYER_LOCAL_PORT        port of local stages, instead of the stage file's
  DEPLOYER_LOCAL_CA          folder of the local cloud's certificate authority, to be trusted
                             once for all: no `down` removes it
  DEPLOYER_LOCAL_DYNAMODB    address that the local cloud passes requests for DynamoDB on to
  NO_COLOR                   no colours

Examples:
  deployer new my-chat       make a project that works as it is; docs/TUTORIAL.md begins here
  deployer init              write stage files for the Cargo workspace that is here
  deployer up local          deploy to the local cloud, starting it if need be
  deployer dev               the same whenever something is saved, and show what happens
  deployer plan alpha        show what `up alpha` would change
  deployer up alpha          deploy to AWS
  deployer up alpha beta     build once, deploy both side by side
  deployer up --all          the same with every stage that is on AWS
  deployer plan alpha --adopt
                             show what `up alpha --adopt` would take over and change
  deployer plan alpha --markdown --exit-code
                             the same as a comment on a pull request; exit code 7 says that
                             something would change
  deployer permissions alpha print the IAM policy that deploying it needs
  deployer package alpha     build what `alpha` needs, as a bundle to deploy from elsewhere
  deployer up alpha --from bundle.zip
                             deploy what is in the bundle: no source, no compiler
  deployer status alpha --watch
                             show what is live and what it does, again and again
  deployer history alpha     list the releases that are kept
  deployer rollback alpha    make the release before the live one live again
  deployer promote alpha prod
                             release on `prod` what is live on `alpha`, byte for byte
  deployer export alpha --format terraform
                             write down what is deployed, to go on with another tool
  deployer import a1b2c3d4e5 write stage files for an API that another tool made
  deployer stages show alpha show each setting of it, and where it comes from
  deployer connect local     talk to the stage
  deployer connect alpha --script chat.script
                             see whether it answers as the script says
  deployer logs alpha -f     show what is logged, and go on
  deployer doctor            look for what may be in the way
  deployer down alpha        remove everything the stage owns
  deployer down prod --confirm prod
                             the same of a stage that is protected
  deployer up preview --as pr-123 --ttl 3d
                             deploy what stages/preview.toml says as a stage `pr-123`
  deployer list              list the stages that live in the account
  deployer down pr-123       remove it, in any folder: no file is needed
  deployer down --expired    remove what has expired
  deployer down --match 'pr-*'
                             remove the stages called so";

/// Of `package`.
pub const PACKAGE: &str = "\
The bundle has the zips of all functions and a manifest: hashes, sizes, target, git revision and
toolchain. The same source gives the same bundle; docs/ARTIFACTS.md says how far. A bundle that
was changed is refused by `up` and `plan`; --digest tells them which one they must be given.

Exit codes:
  0    the bundle is written
  2    arguments or stage files are wrong, or the bundle can't be written
  3    the functions don't build, or couldn't start on Amazon Linux 2023; nothing is written

Examples:
  deployer package                           for all stages on AWS, to .deployer/bundle.zip
  deployer package alpha --out bundle.zip    one file
  deployer package alpha prod --out bundle   a folder
  deployer package alpha --json | jq -r .digest
  deployer up alpha --from bundle.zip --digest DIGEST
                                             in the deploy job";

/// Of `promote`.
pub const PROMOTE: &str = "\
Functions and routes are those of FROM's live release; memory, variables, permissions, tables,
authorizer, limits and logs are those that TO's file says. docs/PROMOTE.md has the rest.

Exit codes: those of `up`; 2 too where nothing is live on FROM, or it doesn't fit TO's file.

Examples:
  deployer promote alpha prod --plan         show what would change
  deployer promote alpha prod
  deployer promote alpha prod --release 0123456789abcdef
                                             this one, which was tried, and no other";

/// Of `stages show`.
pub const SHOW: &str = "\
Asks no account and needs no credentials. What has neither value nor default isn't listed. Secrets
are references, as the files have them.

Exit codes:
  0    shown
  2    there is no such stage, or its files are wrong

Examples:
  deployer stages show alpha
  deployer stages show alpha --json | jq -r '.settings[] | select(.origin != \"default\") | .key | join(\".\")'";

/// Of `permissions`.
pub const PERMISSIONS: &str = "\
The policy allows what `up`, `plan`, `status`, `history`, `rollback`, `list` and `down` of the stages do as
their files are now, and to put right what was changed by hand. Neither credentials nor network
are needed. The account is --account, or the file's `account_id`, or AWS_ACCOUNT_ID; the region is
--region, or the file's, or AWS_REGION, or the profile's. For what isn't known there is `*`.

Exit codes:
  0    the policy is printed
  2    arguments or stage files are wrong

Examples:
  deployer permissions alpha > policy.json       for whoever deploys alpha
  deployer permissions alpha prod                for both, in one policy
  deployer permissions alpha --for plan          for a job that only plans: reads
  deployer permissions preview --as 'pr-*'       for all previews
  deployer permissions alpha --account 123456789012 --region eu-central-1
  deployer permissions alpha prod --split | jq -c '.[]'
                                                 as many policies as IAM's limit needs";

/// Of `list`.
pub const LIST: &str = "\
Listed are age, end, release, owner and address of every stage that has its journal or its API
there, of all services that these credentials may read.

Examples:
  deployer list                                  where AWS_PROFILE and AWS_REGION lead to
  deployer list --region eu-central-1 --json     one line of JSON a stage
  deployer list --match 'pr-*' --expired         what `down` with the same options removes
  deployer list --local                          in the local cloud";

/// Of `up`.
pub const UP: &str = "\
A second `up` with nothing to do writes nothing and says so. Everything new is made beside what is
live, and one write makes it live: what fails before leaves the old release serving.

Examples:
  deployer up local
  deployer up alpha beta                     build once, deploy both side by side
  deployer up --all --json | jq -r 'select(.event == \"result\") | [.stage, .ok, .url] | @tsv'
  deployer up preview --as pr-123 --ttl 3d   stages/preview.toml as the stage `pr-123`
  deployer up alpha --from bundle.zip        what `package` made: no source, no compiler
  deployer up alpha --adopt                  take over what was made by hand";

/// Of `down`.
pub const DOWN: &str = "\
Looks again afterwards, and says what it left because a file says so. Nothing to do is success.

Examples:
  deployer down local
  deployer down prod --confirm prod          one that is `protected`
  deployer down pr-123 --region eu-central-1 by its name, in any folder: no file is needed
  deployer down --expired                    what has lived as long as it was to
  deployer down --match 'pr-*' --json";

/// Of `plan`.
pub const PLAN: &str = "\
Builds, reads the account, and changes nothing. What was changed by hand is part of it, field by
field.

Examples:
  deployer plan alpha
  deployer plan alpha --exit-code            7 if `up` would change something
  deployer plan alpha prod --markdown > comment.md
  deployer plan alpha --json | jq '.steps | length'";

/// Of `history`.
pub const HISTORY: &str = "\
Examples:
  deployer history alpha
  deployer history alpha --json | jq .
  deployer history pr-123 --region eu-central-1
                                             of a stage without a file";

/// Of `rollback`.
pub const ROLLBACK: &str = "\
Examples:
  deployer rollback alpha                    the release before the live one
  deployer rollback alpha 1cddda73           the one whose hash begins so, of `deployer history alpha`";

/// Of `local-cloud`.
pub const LOCAL_CLOUD: &str = "\
Listens on 127.0.0.1 only, and goes on with the account that it kept. docs/FIDELITY.md says where
it behaves as AWS, and where not. A browser at its root shows it at work, sends events again, cuts
connections and lets things go wrong on purpose: docs/PAGE.md.

Examples:
  deployer local-cloud                       the port of the stage `local`, as shipped
  deployer local-cloud --port 9200 --data /tmp/cloud --fresh
  deployer local-cloud --realism 1 --enforce-iam
                                             with AWS's quotas, conflicts, delays and permissions
  aws --endpoint-url http://127.0.0.1:9100 --region us-east-1 lambda list-functions
                                             other clients talk to it as to AWS";

/// Of `schema`.
pub const SCHEMA: &str = "\
Stage files name the schemas in their first line, which editors follow: docs/STAGE_FILES.md.

Examples:
  deployer schema
  deployer schema --check                    in CI";

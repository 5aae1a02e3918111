package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong on the way to a service is told as AWS tells it, in each protocol. */
@Timeout(300)
class WireTest {

  private static TestRegion region;
  private static Session shell;

  @BeforeAll
  static void start() throws IOException {
    region = TestRegion.start("");
    shell = region.session();
    shell.run(
        """
        eval "$(./muelle env)"
        # The client's own checks are off, so that a request which lacks something is sent.
        printf '[default]\\nparameter_validation = false\\n' > config
        export AWS_CONFIG_FILE=$PWD/config
        signed() { # SERVICE ARGUMENTS…: curl with a signature
          local service=$1; shift
          curl -s -i --aws-sigv4 aws:amz:us-east-1:$service \\
            --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY "$@" $AWS_ENDPOINT_URL/
        }
        ecs() { # OPERATION BODY ARGUMENTS…
          local operation=$1 body=$2; shift 2
          signed ecs -H 'Content-Type: application/x-amz-json-1.1' \\
            -H "X-Amz-Target: AmazonEC2ContainerServiceV20141113.$operation" --data-binary "$body" "$@"
        }
        """);
  }

  @AfterAll
  static void stop() throws IOException {
    shell.close();
    region.close();
  }

  /** The {@code aws} command fails, and says this. */
  private static void refused(String command, String said) throws IOException {
    Shell.Outcome outcome = shell.attempt("aws " + command);
    assertNotEquals(0, outcome.exitCode(), outcome::output);
    assertTrue(
        outcome.output().contains("An error occurred " + said), () -> command + outcome.output());
  }

  private static void answered(String curl, int status, String... said) throws IOException {
    String answer = shell.run(curl);
    assertTrue(answer.contains("HTTP/1.1 " + status + " "), () -> curl + "\n" + answer);
    for (String part : said) {
      assertTrue(answer.contains(part), () -> curl + "\n" + answer);
    }
  }

  @Test
  void whatIsNotBuiltIsNamedInEveryProtocol() throws Exception {
    Map<String, String> operations =
        Map.of(
            "ecs discover-poll-endpoint", "DiscoverPollEndpoint",
            "ec2 describe-spot-price-history", "DescribeSpotPriceHistory",
            "sns list-platform-applications", "ListPlatformApplications",
            "iam list-saml-providers", "ListSAMLProviders",
            "logs describe-export-tasks", "DescribeExportTasks",
            "sts decode-authorization-message --encoded-message x", "DecodeAuthorizationMessage");
    for (Map.Entry<String, String> each : operations.entrySet()) {
      String command = each.getKey();
      String service = command.substring(0, command.indexOf(' '));
      refused(
          command,
          "(NotImplemented) when calling the %s operation: The operation %s of the service %s is not implemented."
              .formatted(each.getValue(), each.getValue(), service));
    }
    answered("signed ec2 -d 'Action=DescribeSpotPriceHistory&Version=2016-11-15'", 501);
  }

  @Test
  void servicesThatAreNotHereAreNamedInTheirOwnProtocols() throws Exception {
    Map<String, String> commands =
        Map.of(
            "mturk list-hits", "mturk-requester", // awsJson
            "cloudsearch list-domain-names", "cloudsearch", // query
            "mediaconnect list-flows", "mediaconnect", // restJson
            "route53 list-hosted-zones", "route53"); // restXml
    for (Map.Entry<String, String> each : commands.entrySet()) {
      Shell.Outcome outcome = shell.attempt("aws " + each.getKey() + " --no-cli-pager");
      String said = outcome.output();
      assertTrue(said.contains("(NotImplemented)"), said);
      assertTrue(said.contains("service " + each.getValue() + " is not implemented"), said);
    }
  }

  @Test
  void unknownOperationsAndMalformedBodies() throws Exception {
    answered("ecs Nope {}", 400, "\"__type\":\"UnknownOperationException\"");
    answered("signed ec2 -d 'Action=Nope&Version=2016-11-15'", 400, "<Code>InvalidAction</Code>");
    answered("signed sts -d 'Action=Nope&Version=2011-06-15'", 400, "<Code>InvalidAction</Code>");
    answered("signed sts -d 'Version=2011-06-15'", 400, "<Code>MissingAction</Code>");

    answered("ecs ListClusters '{\"maxResults\":'", 400, "SerializationException");
    answered("ecs ListClusters '[]'", 400, "SerializationException");
    answered("ecs ListClusters '{\"maxResults\":\"many\"}'", 400, "SerializationException");
    answered(
        "signed ec2 -d 'Action=DescribeVpcs&Version=2016-11-15&MaxResults=many'",
        400,
        "<Code>InvalidParameterValue</Code>");
    answered(
        "signed iam -d 'Action=ListRoles&Version=2010-05-08&MaxItems=many'",
        400,
        "<Code>MalformedInput</Code>");
  }

  @Test
  void missingMembersAreNamed() throws Exception {
    refused(
        "ecs create-service --cli-input-json '{}'",
        "(InvalidParameterException) when calling the CreateService operation: Service name can not be blank.");
    refused(
        "ec2 create-subnet --cli-input-json '{}'",
        "(MissingParameter) when calling the CreateSubnet operation: The request must contain the parameter vpcId");
    for (String[] each :
        List.of(
            new String[] {"iam get-role", "ValidationError", "GetRole", "roleName"},
            new String[] {
              "elbv2 create-target-group", "ValidationError", "CreateTargetGroup", "name"
            },
            new String[] {
              "elbv2 create-load-balancer", "ValidationError", "CreateLoadBalancer", "name"
            },
            new String[] {
              "logs create-log-group", "InvalidParameterException", "CreateLogGroup", "logGroupName"
            })) {
      refused(
          each[0] + " --cli-input-json '{}'",
          "(%s) when calling the %s operation: 1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"
              .formatted(each[1], each[2], each[3]));
    }
  }

  @Test
  void hugeBodiesAreRefusedAndTheServerAnswersOn() throws Exception {
    shell.run("head -c 104857600 /dev/zero > huge");
    for (String how : List.of("", "-H 'Transfer-Encoding: chunked'", "-H 'Expect:'")) {
      answered("ecs ListClusters @huge --max-time 60 " + how, 413, "\"RequestEntityTooLarge\"");
    }
    answered("ecs ListClusters {}", 200, "{\"clusterArns\":[]}");
  }

  @Test
  void keysThatAreNotOurs() throws Exception {
    shell.run(
        "unknown() { AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE \"$@\"; };"
            + " wrong() { AWS_SECRET_ACCESS_KEY=wrong \"$@\"; }");
    for (String[] each :
        List.of(
            new String[] {
              "ecs list-clusters", "UnrecognizedClientException", "InvalidSignatureException"
            },
            new String[] {
              "sts get-caller-identity", "InvalidClientTokenId", "SignatureDoesNotMatch"
            },
            new String[] {"ec2 describe-vpcs", "AuthFailure", "AuthFailure"})) {
      for (int key : List.of(1, 2)) {
        Shell.Outcome outcome = shell.attempt((key == 1 ? "unknown" : "wrong") + " aws " + each[0]);
        assertNotEquals(0, outcome.exitCode());
        assertTrue(
            outcome.output().contains("An error occurred (" + each[key] + ")"), outcome.output());
      }
    }
    answered(
        "curl -s -i -d 'Action=GetCallerIdentity&Version=2011-06-15' $AWS_ENDPOINT_URL",
        403,
        "<Code>MissingAuthenticationToken</Code>");
  }

  @Test
  void clocksThatAreWrong() throws Exception {
    for (String shift : List.of("20 minutes ago", "20 minutes")) {
      String date = "-H \"X-Amz-Date: $(date -u -d '" + shift + "' +%Y%m%dT%H%M%SZ)\"";
      answered("ecs ListClusters {} " + date, 400, "InvalidSignatureException", "Signature ");
      answered(
          "signed sts -d 'Action=GetCallerIdentity&Version=2011-06-15' " + date,
          403,
          "<Code>SignatureDoesNotMatch</Code>",
          shift.endsWith("ago") ? "Signature expired: " : "Signature not yet current: ");
      answered(
          "signed ec2 -d 'Action=DescribeVpcs&Version=2016-11-15' " + date,
          400,
          "<Code>RequestExpired</Code>");
    }
  }

  /** The aws command's own request, caught on its way, is repeated as it was and changed. */
  @Test
  void aBodyThatWasTamperedWith() throws Exception {
    int port = TestRegion.freePort();
    shell.run(
        """
        (timeout 120 busybox nc -l -p %1$d > caught &
        until [ -n "$(ss -Hltn 'sport = :%1$d')" ]; do :; done
        AWS_MAX_ATTEMPTS=1 timeout 120 /usr/bin/aws --endpoint-url http://127.0.0.1:%1$d ecs describe-clusters \\
          --clusters honest > /dev/null 2>&1 & client=$!
        until grep -q honest caught; do :; done
        kill $client)
        replay() { sed "$1" caught | sed 's/^Connection:.*/Connection: close\\r/' \\
          | timeout 120 busybox nc -w 60 127.0.0.1 %2$d; }
        """
            .formatted(port, region.port()));
    String honest = shell.run("replay ''");
    assertTrue(honest.contains("HTTP/1.1 200 "), honest);
    assertTrue(honest.contains("cluster/honest"), honest);
    String crooked = shell.run("replay 's/honest/crooks/'");
    assertTrue(crooked.contains("HTTP/1.1 400 "), crooked);
    assertTrue(crooked.contains("\"__type\":\"InvalidSignatureException\""), crooked);
    assertFalse(crooked.contains("cluster/"), crooked);
    String renamed = shell.run("replay 's/DescribeClusters/DeleteCluster/'");
    assertTrue(renamed.contains("\"__type\":\"InvalidSignatureException\""), renamed);
  }

  /** {@code aws eks get-token} is a presigned GetCallerIdentity, made for this name of STS. */
  @Test
  void presignedGetCallerIdentity() throws Exception {
    shell.run(
        """
        TOKEN=$(/usr/bin/aws eks get-token --cluster-name demo | jq -r .status.token)
        TOKEN=${TOKEN#k8s-aws-v1.}
        while [ $((${#TOKEN} %% 4)) != 0 ]; do TOKEN="$TOKEN="; done
        URL=$(tr _- /+ <<< "$TOKEN" | base64 -d | sed s/^https/http/)
        fetch() { curl -s -i --connect-to sts.us-east-1.amazonaws.com:80:127.0.0.1:%d "$@"; }
        """
            .formatted(region.port()));
    String identity = shell.run("fetch -H 'x-k8s-aws-id: demo' \"$URL\"");
    assertTrue(identity.contains("HTTP/1.1 200 "), identity);
    assertTrue(identity.contains("<Arn>arn:aws:iam::000000000000:root</Arn>"), identity);
    for (String other :
        List.of(
            "-H 'x-k8s-aws-id: other' \"$URL\"",
            "\"$URL\"",
            "-H 'x-k8s-aws-id: demo' \"${URL/Expires=60/Expires=600}\"",
            "-H 'x-k8s-aws-id: demo' \"${URL/GetCallerIdentity/GetSessionToken}\"")) {
      String refused = shell.run("fetch " + other);
      assertTrue(refused.contains("HTTP/1.1 403 "), refused);
      assertTrue(refused.contains("<Code>SignatureDoesNotMatch</Code>"), refused);
    }
  }

  @Test
  void requestIdsInEachProtocolsForm() throws Exception {
    assertIdIs("ecs ListClusters {}", "");
    assertIdIs("ecs Nope {}", "");
    assertIdIs(
        "signed sts -d 'Action=GetCallerIdentity&Version=2011-06-15'",
        "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>");
    assertIdIs(
        "signed sts -d 'Action=Nope&Version=2011-06-15'",
        "</Error><RequestId>%s</RequestId></ErrorResponse>");
    assertIdIs(
        "signed ec2 -d 'Action=DescribeVpcs&Version=2016-11-15'", "<requestId>%s</requestId>");
    assertIdIs(
        "signed ec2 -d 'Action=Nope&Version=2016-11-15'",
        "</Errors><RequestID>%s</RequestID></Response>");
  }

  private static void assertIdIs(String curl, String form) throws IOException {
    String answer = shell.run(curl);
    Matcher id =
        Pattern.compile("(?i)x-amzn-RequestId: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
            .matcher(answer);
    assertTrue(id.find(), answer);
    assertTrue(answer.contains(form.formatted(id.group(1))), answer);
  }
}

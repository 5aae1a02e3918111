package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code ./muelle up --open} takes any credentials, or none. */
@Timeout(300)
class OpenDoorTest {

  @Test
  void anyKeyOpensAndTwelveDigitsNameTheAccount() throws Exception {
    try (TestRegion region = TestRegion.start("--open");
        Session shell = region.session()) {
      shell.run(
          """
          eval "$(./muelle env)"
          as() { AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=any aws "${@:2}"; }
          whom() { as "$1" sts get-caller-identity --query Account --output text; }
          """);
      assertEquals("000000000000", shell.run("whom anybody"));
      assertEquals("123456789012", shell.run("whom 123456789012"));

      shell.run("as 123456789012 ecs create-cluster --cluster-name theirs");
      assertEquals(
          "arn:aws:ecs:us-east-1:123456789012:cluster/theirs",
          shell.run("as 123456789012 ecs list-clusters --query 'clusterArns[]' --output text"));
      assertEquals(
          "[]", shell.run("as anybody ecs list-clusters --query clusterArns --output json"));
      assertEquals(
          "[]",
          shell.run(
              "as 123456789012 ecs list-clusters --region eu-west-1 --query clusterArns --output json"));

      String unsigned =
          shell.run("curl -s -d 'Action=GetCallerIdentity&Version=2011-06-15' $AWS_ENDPOINT_URL");
      assertTrue(unsigned.contains("<Account>000000000000</Account>"), unsigned);
      String late =
          shell.run(
              "curl -s --aws-sigv4 aws:amz:us-east-1:sts --user any:key"
                  + " -H 'X-Amz-Date: 20200101T000000Z'"
                  + " -d 'Action=GetCallerIdentity&Version=2011-06-15' $AWS_ENDPOINT_URL");
      assertTrue(late.contains("<Account>000000000000</Account>"), late);
    }
  }
}

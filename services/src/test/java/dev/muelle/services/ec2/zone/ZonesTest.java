package dev.muelle.services.ec2.zone;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** How zones are called. */
final class ZonesTest {

  @Test
  void aRegionHasAShortName() {
    assertEquals("euw3", Zones.shortName("eu-west-3"));
    assertEquals("apse2", Zones.shortName("ap-southeast-2"));
    assertEquals("usgw1", Zones.shortName("us-gov-west-1"));
  }
}

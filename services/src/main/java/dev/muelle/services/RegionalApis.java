package dev.muelle.services;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The region's own APIs, for whoever is in its VPCs. */
public interface RegionalApis {

  /** Of a service by itself: there are none. */
  RegionalApis NONE =
      new RegionalApis() {
        @Override
        public List<Api> all() {
          return List.of();
        }

        @Override
        public Optional<String> outside() {
          return Optional.empty();
        }

        @Override
        public VpcHttp.Server serve(String vpcId, String address, String region, Api api) {
          throw new IllegalStateException("there is no " + api);
        }
      };

  /** What is served. */
  List<Api> all();

  /** The public address of all of them, for whom his VPC leads out; empty if they have none. */
  Optional<String> outside();

  /**
   * Answers for one API in one region, and nothing else, at an address of a VPC, by HTTPS.
   *
   * @throws IOException if the address cannot be bound
   */
  VpcHttp.Server serve(String vpcId, String address, String region, Api api) throws IOException;
}

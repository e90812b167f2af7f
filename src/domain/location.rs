//! A place on the map.

use thiserror::Error;

/// Latitude −90 to 90 and longitude −180 to 180, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    latitude: f64,
    longitude: f64,
}

/// Coordinates that are on no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be [latitude, longitude] within -90 to 90 and -180 to 180")]
pub struct LocationError;

impl Location {
    /// The place at these coordinates.
    ///
    /// # Errors
    /// When one is out of range or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, LocationError> {
        if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) {
            Ok(Self {
                latitude,
                longitude,
            })
        } else {
            Err(LocationError)
        }
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(self) -> f64 {
        self.longitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poles_and_the_date_line_are_on_the_map() {
        assert!(Location::new(90.0, -180.0).is_ok());
        assert!(Location::new(-90.0, 180.0).is_ok());
    }

    #[test]
    fn beyond_them_is_nothing() {
        for (latitude, longitude) in [
            (90.1, 0.0),
            (0.0, -180.1),
            (f64::NAN, 0.0),
            (0.0, f64::INFINITY),
        ] {
            assert_eq!(Location::new(latitude, longitude), Err(LocationError));
        }
    }
}

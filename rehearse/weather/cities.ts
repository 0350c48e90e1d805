/** A place that the stand-in knows, as Open-Meteo's geocoder would answer for it. */
export interface City {
  readonly name: string;
  readonly country: string;
  readonly countryCode: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Country code, country, then `name latitude longitude` for each city. */
const TABLE: readonly string[] = [
  "AR Argentina: Buenos Aires -34.61 -58.38, Córdoba -31.41 -64.18, Rosario -32.95 -60.64, Mendoza -32.89 -68.83, Salta -24.79 -65.41, Ushuaia -54.81 -68.3",
  "AT Austria: Vienna 48.21 16.37, Graz 47.07 15.44, Linz 48.31 14.29, Salzburg 47.8 13.04, Innsbruck 47.26 11.39",
  "AU Australia: Sydney -33.87 151.21, Melbourne -37.81 144.96, Brisbane -27.47 153.03, Perth -31.95 115.86, Adelaide -34.93 138.6, Hobart -42.88 147.33, Darwin -12.46 130.84, Canberra -35.28 149.13, Cairns -16.92 145.77",
  "BE Belgium: Brussels 50.85 4.35, Antwerp 51.22 4.4, Ghent 51.05 3.72, Bruges 51.21 3.22, Liège 50.64 5.57",
  "BR Brazil: São Paulo -23.55 -46.64, Rio de Janeiro -22.91 -43.18, Brasília -15.78 -47.93, Salvador -12.97 -38.51, Fortaleza -3.72 -38.54, Manaus -3.1 -60.03, Recife -8.05 -34.88, Curitiba -25.43 -49.27, Belém -1.46 -48.5",
  "CA Canada: Toronto 43.7 -79.42, Montreal 45.51 -73.59, Vancouver 49.25 -123.12, Calgary 51.05 -114.09, Ottawa 45.41 -75.7, Edmonton 53.55 -113.47, Winnipeg 49.88 -97.15, Halifax 44.65 -63.57, Whitehorse 60.72 -135.05",
  "CH Switzerland: Zurich 47.37 8.55, Geneva 46.2 6.15, Basel 47.56 7.57, Bern 46.95 7.45, Lausanne 46.52 6.63, Lucerne 47.05 8.31",
  "CL Chile: Santiago -33.46 -70.65, Valparaíso -33.04 -71.63, Antofagasta -23.65 -70.4, Punta Arenas -53.15 -70.92",
  "CN China: Beijing 39.91 116.4, Shanghai 31.22 121.46, Guangzhou 23.12 113.25, Shenzhen 22.55 114.07, Chengdu 30.67 104.07, Wuhan 30.58 114.27, Xi'an 34.26 108.93, Hangzhou 30.29 120.16, Harbin 45.75 126.65",
  "CO Colombia: Bogotá 4.61 -74.08, Medellín 6.25 -75.56, Cali 3.44 -76.52, Cartagena 10.4 -75.51",
  "CZ Czechia: Prague 50.09 14.42, Brno 49.2 16.61, Ostrava 49.83 18.28, Plzeň 49.75 13.38",
  "DE Germany: Berlin 52.52 13.41, Hamburg 53.55 9.99, Munich 48.14 11.58, Cologne 50.93 6.95, Frankfurt 50.12 8.68, Stuttgart 48.78 9.18, Leipzig 51.34 12.37, Dresden 51.05 13.74, Bremen 53.08 8.81, Hanover 52.37 9.73, Nuremberg 49.45 11.08, Kiel 54.32 10.14",
  "DK Denmark: Copenhagen 55.68 12.57, Aarhus 56.16 10.21, Odense 55.4 10.38, Aalborg 57.05 9.92",
  "EG Egypt: Cairo 30.06 31.25, Alexandria 31.2 29.92, Luxor 25.7 32.64, Aswan 24.09 32.91",
  "ES Spain: Madrid 40.42 -3.7, Barcelona 41.39 2.16, Valencia 39.47 -0.38, Seville 37.38 -5.97, Bilbao 43.26 -2.93, Málaga 36.72 -4.42, Zaragoza 41.66 -0.88, Palma 39.57 2.65, Granada 37.19 -3.61",
  "ET Ethiopia: Addis Ababa 9.02 38.75, Dire Dawa 9.59 41.87",
  "FI Finland: Helsinki 60.17 24.94, Tampere 61.5 23.79, Turku 60.45 22.27, Oulu 65.01 25.47, Rovaniemi 66.5 25.72",
  "FR France: Paris 48.85 2.35, Marseille 43.3 5.38, Lyon 45.75 4.85, Toulouse 43.6 1.44, Nice 43.7 7.27, Nantes 47.22 -1.55, Strasbourg 48.58 7.75, Bordeaux 44.84 -0.58, Lille 50.63 3.06, Rennes 48.11 -1.67",
  "GB United Kingdom: London 51.51 -0.13, Manchester 53.48 -2.24, Edinburgh 55.95 -3.2, Glasgow 55.87 -4.26, Birmingham 52.48 -1.9, Cardiff 51.48 -3.18, Belfast 54.6 -5.93, Bristol 51.46 -2.6, Leeds 53.8 -1.55, Inverness 57.48 -4.22",
  "GH Ghana: Accra 5.56 -0.2, Kumasi 6.69 -1.62",
  "GR Greece: Athens 37.98 23.73, Thessaloniki 40.64 22.94, Heraklion 35.34 25.14, Patras 38.24 21.73",
  "HR Croatia: Zagreb 45.81 15.98, Split 43.51 16.44, Dubrovnik 42.65 18.09",
  "HU Hungary: Budapest 47.5 19.04, Debrecen 47.53 21.63, Szeged 46.25 20.15",
  "ID Indonesia: Jakarta -6.21 106.85, Surabaya -7.25 112.75, Bandung -6.92 107.61, Medan 3.58 98.67, Denpasar -8.65 115.22",
  "IE Ireland: Dublin 53.33 -6.25, Cork 51.9 -8.47, Galway 53.27 -9.05",
  "IL Israel: Jerusalem 31.77 35.22, Tel Aviv 32.08 34.78, Haifa 32.82 34.99",
  "IN India: Mumbai 19.07 72.88, Delhi 28.65 77.23, Bengaluru 12.97 77.59, Chennai 13.09 80.28, Kolkata 22.56 88.36, Hyderabad 17.38 78.46, Pune 18.52 73.86, Jaipur 26.92 75.79, Kochi 9.94 76.26",
  "IS Iceland: Reykjavik 64.14 -21.9, Akureyri 65.68 -18.1",
  "IT Italy: Rome 41.89 12.51, Milan 45.46 9.19, Naples 40.85 14.27, Turin 45.07 7.69, Palermo 38.13 13.34, Bologna 44.49 11.34, Florence 43.77 11.25, Venice 45.44 12.33, Genoa 44.41 8.93",
  "JP Japan: Tokyo 35.69 139.69, Osaka 34.69 135.5, Sapporo 43.06 141.35, Fukuoka 33.6 130.42, Nagoya 35.18 136.91, Sendai 38.27 140.87, Hiroshima 34.4 132.45, Kyoto 35.02 135.75, Naha 26.21 127.68",
  "KE Kenya: Nairobi -1.28 36.82, Mombasa -4.05 39.66, Kisumu -0.1 34.76",
  "KR South Korea: Seoul 37.57 126.98, Busan 35.1 129.03, Incheon 37.46 126.71, Daegu 35.87 128.59",
  "MA Morocco: Casablanca 33.59 -7.62, Rabat 34.01 -6.83, Marrakesh 31.63 -8, Fez 34.03 -5",
  "MX Mexico: Mexico City 19.43 -99.13, Guadalajara 20.67 -103.39, Monterrey 25.68 -100.32, Puebla 19.05 -98.2, Mérida 20.98 -89.62, Tijuana 32.53 -117.02, Oaxaca 17.06 -96.72",
  "MY Malaysia: Kuala Lumpur 3.14 101.69, George Town 5.41 100.34, Kuching 1.55 110.34",
  "NG Nigeria: Lagos 6.45 3.39, Abuja 9.06 7.49, Kano 12 8.52, Ibadan 7.38 3.91",
  "NL Netherlands: Amsterdam 52.37 4.89, Rotterdam 51.92 4.48, Utrecht 52.09 5.12, Eindhoven 51.44 5.48, Groningen 53.22 6.57",
  "NO Norway: Oslo 59.91 10.75, Bergen 60.39 5.32, Trondheim 63.43 10.4, Tromsø 69.65 18.96, Stavanger 58.97 5.73",
  "NZ New Zealand: Auckland -36.85 174.76, Wellington -41.29 174.78, Christchurch -43.53 172.63, Dunedin -45.87 170.5",
  "PE Peru: Lima -12.04 -77.03, Cusco -13.52 -71.98, Arequipa -16.4 -71.54, Iquitos -3.75 -73.25",
  "PH Philippines: Manila 14.6 120.98, Cebu City 10.32 123.89, Davao 7.07 125.61",
  "PK Pakistan: Karachi 24.86 67.01, Lahore 31.56 74.35, Islamabad 33.72 73.04",
  "PL Poland: Warsaw 52.23 21.01, Kraków 50.06 19.94, Gdańsk 54.35 18.65, Wrocław 51.1 17.03, Poznań 52.41 16.93, Łódź 51.77 19.46",
  "PT Portugal: Lisbon 38.72 -9.13, Porto 41.15 -8.61, Faro 37.02 -7.94, Coimbra 40.21 -8.42",
  "RO Romania: Bucharest 44.43 26.11, Cluj-Napoca 46.77 23.6, Timișoara 45.76 21.23, Iași 47.17 27.6",
  "SA Saudi Arabia: Riyadh 24.69 46.72, Jeddah 21.49 39.19, Dammam 26.43 50.1",
  "SE Sweden: Stockholm 59.33 18.06, Gothenburg 57.71 11.97, Malmö 55.61 13, Uppsala 59.86 17.64, Kiruna 67.86 20.22",
  "SG Singapore: Singapore 1.29 103.85",
  "TH Thailand: Bangkok 13.75 100.5, Chiang Mai 18.79 98.98, Phuket 7.89 98.4",
  "TR Türkiye: Istanbul 41.01 28.95, Ankara 39.92 32.85, Izmir 38.41 27.14, Antalya 36.91 30.7, Trabzon 41.01 39.73",
  "UA Ukraine: Kyiv 50.45 30.52, Lviv 49.84 24.02, Odesa 46.48 30.73, Kharkiv 49.98 36.25",
  "US United States: New York 40.71 -74.01, Los Angeles 34.05 -118.24, Chicago 41.85 -87.65, Houston 29.76 -95.36, Phoenix 33.45 -112.07, Philadelphia 39.95 -75.16, San Diego 32.72 -117.16, Dallas 32.78 -96.81, Austin 30.27 -97.74, Seattle 47.61 -122.33, Denver 39.74 -104.98, Boston 42.36 -71.06, Miami 25.77 -80.19, Atlanta 33.75 -84.39, Minneapolis 44.98 -93.26, Portland 45.52 -122.68, New Orleans 29.95 -90.08, Anchorage 61.22 -149.9, Honolulu 21.31 -157.86",
  "UY Uruguay: Montevideo -34.9 -56.19, Punta del Este -34.97 -54.95",
  "VN Vietnam: Hanoi 21.02 105.84, Ho Chi Minh City 10.82 106.63, Da Nang 16.07 108.22",
  "ZA South Africa: Cape Town -33.93 18.42, Johannesburg -26.2 28.04, Durban -29.86 31.03, Pretoria -25.74 28.19, Bloemfontein -29.12 26.21",
];

export const CITIES: readonly City[] = TABLE.flatMap((line) => {
  const [, countryCode = "", country = "", cities = ""] = /^(\w\w) ([^:]+): (.+)$/.exec(line) ?? [];
  return cities.split(", ").map((entry) => {
    const [, name = "", latitude, longitude] = /^(.+) (\S+) (\S+)$/.exec(entry) ?? [];
    return { name, country, countryCode, latitude: Number(latitude), longitude: Number(longitude) };
  });
});

const byName = new Map(CITIES.map((city) => [city.name.toLowerCase(), city]));

export function cityNamed(name: string): City | undefined {
  return byName.get(name.trim().toLowerCase());
}
